"""
The embedded server: everything of a ConnectorDB 0.3 server, in a thread of yours or as a program of its own.

It needs the extra ``server``: ``pip install 'ConnectorDB[server]'``. In here live the database, who may do what, and the HTTP
and websocket interface; nothing of the client, which meets it on the wire only.
"""

try:
    import aiohttp  # noqa: F401
except ImportError as error:
    raise ImportError(
        "the embedded server needs aiohttp, which is not installed: pip install 'ConnectorDB[server]'"
    ) from error

from .backup import backup, restore
from .check import Checked, Finding, Progress, Tell, check
from .database import Created, Running, create, running
from .server import Server

__all__ = [
    "Checked",
    "Created",
    "Finding",
    "Progress",
    "Running",
    "Server",
    "Tell",
    "backup",
    "check",
    "create",
    "restore",
    "running",
]
