"""
What can be done with a database folder without the server, or while it runs: checks, backups, salvage, users.

Export and import have a room of their own, ``exchange``.
"""
