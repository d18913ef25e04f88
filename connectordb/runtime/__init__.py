"""
What makes things run: SQLite connections, threads that end, clocks, pauses between attempts.

Nothing here knows of users, devices, streams or the wire. Enter by file: ``from ..runtime.worker import Worker``.
"""
