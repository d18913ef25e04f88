"""
What makes things run: SQLite connections, threads that end, clocks, pauses between attempts.

Nothing here knows of users, devices, streams or the wire. Import its modules directly: ``from ..runtime.worker import Worker``.
"""
