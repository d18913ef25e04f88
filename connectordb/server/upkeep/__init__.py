"""
What is done to a database folder beside the server or without it: checks, backups, salvage, users.

Export and import have a room of their own, ``exchange``.
"""
