"""
Where the server keeps users, devices, streams and points.

`Storage` in ``contract`` says what a storage has to do; `SQLiteStorage` is the only one there is. Nothing here knows about HTTP,
permissions or subscribers.
"""

from .chunks import encode
from .contract import (
    Device,
    Found,
    Gone,
    Inserted,
    InsertKey,
    Older,
    Outcome,
    Reader,
    Remembered,
    Series,
    Storage,
    Stream,
    Taken,
    User,
    Writer,
)
from .copies import copied
from .inspection import Chunks, Judge, Stored, Unreadable, numbered, parts_of, span
from .layout import LAYOUT
from .recent import NotRecent
from .rows import key_digest
from .salvager import Salvager, chunk_of, row_of
from .sqlite import SQLiteStorage
from .watch import State

__all__ = [
    "LAYOUT",
    "Chunks",
    "Device",
    "Found",
    "Gone",
    "InsertKey",
    "Inserted",
    "Judge",
    "NotRecent",
    "Older",
    "Outcome",
    "Reader",
    "Remembered",
    "SQLiteStorage",
    "Salvager",
    "Series",
    "State",
    "Storage",
    "Stored",
    "Stream",
    "Taken",
    "Unreadable",
    "User",
    "Writer",
    "chunk_of",
    "copied",
    "encode",
    "key_digest",
    "numbered",
    "parts_of",
    "row_of",
    "span",
]
