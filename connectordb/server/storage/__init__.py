"""
Where the server keeps users, devices, streams and points.

`Storage` in ``contract`` says what a storage is; `SQLiteStorage` is the one there is. Nothing here knows of HTTP, of who may
do what, or of subscribers.
"""

from .contract import (
    Device,
    Found,
    Gone,
    Inserted,
    InsertKey,
    Older,
    Reader,
    Remembered,
    Series,
    Storage,
    Stream,
    Taken,
    User,
    Writer,
)
from .sqlite import SQLiteStorage

__all__ = [
    "Device",
    "Found",
    "Gone",
    "InsertKey",
    "Inserted",
    "Older",
    "Reader",
    "Remembered",
    "SQLiteStorage",
    "Series",
    "Storage",
    "Stream",
    "Taken",
    "User",
    "Writer",
]
