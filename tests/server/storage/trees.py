"""Rows as tests need them: complete, and different where they must be."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from connectordb.server.storage import Reader, Series, SQLiteStorage, Writer

from ...support.case import SOON, Case

T = TypeVar("T")


def user(name: str, **changes: Any) -> dict[str, Any]:
    """Return a user's columns."""
    return {
        "name": name,
        "nickname": "",
        "email": f"{name}@localhost",
        "description": "",
        "icon": "",
        "role": "user",
        "public": True,
        "password": "",
        **changes,
    }


def device(name: str, **changes: Any) -> dict[str, Any]:
    """Return a device's columns."""
    return {
        "name": name,
        "nickname": "",
        "description": "",
        "icon": "",
        "apikey": "",
        "enabled": True,
        "public": False,
        "role": "",
        "visible": True,
        "user_editable": False,
        **changes,
    }


def stream(name: str, **changes: Any) -> dict[str, Any]:
    """Return a stream's columns."""
    return {
        "name": name,
        "nickname": "",
        "description": "",
        "icon": "",
        "schema": "{}",
        "datatype": "",
        "ephemeral": False,
        "downlink": False,
        **changes,
    }


def plant(writer: Writer, name: str = "mara") -> Series:
    """Make a user, a device and a stream; return the stream's series."""
    owner = writer.create_user(user(name))
    return Series(writer.create_stream(writer.create_device(owner.id, device("lamp")).id, stream("light")).id)


class StorageCase(Case):
    """A test case with a storage in a folder of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "points.db"
        self.storage = self.opened()

    def opened(self, path: Path | None = None, readers: int = 2) -> SQLiteStorage:
        """Open a storage, which is closed with the test."""
        storage = SQLiteStorage(path or self.path, readers)
        self.addCleanup(storage.close)
        return storage

    def got(self, future: Future[T]) -> T:
        """Return a future's result, which must come soon."""
        return future.result(SOON)

    def read(self, work: Callable[[Reader], T]) -> T:
        """Read, and wait."""
        return self.got(self.storage.read(work))

    def write(self, work: Callable[[Writer], T]) -> T:
        """Write, and wait."""
        return self.got(self.storage.write(work))
