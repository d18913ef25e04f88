"""
What was looked up a while ago and is still so: objects by path, devices by key. Most requests ask for the same few again.

One for all threads of a storage. Nobody but its writer changes the file, so what is kept stays right until the writer says
otherwise: it forgets everything at once, after the commit of a change to users, devices or streams and before anybody is told
of that commit. Points are not kept.
"""

from __future__ import annotations

import threading
from typing import TypeVar

from ...exceptions import ConnectorDBError
from .contract import Device, Found, Stream, User

Key = TypeVar("Key")
Value = TypeVar("Value")

#: Paths, and keys, that are kept at most, and characters of text in one of them: some megabytes, whatever people write into icons.
MOST = 2048
MOST_TEXT = 4096


class NotRecent(ConnectorDBError):
    """The storage itself has to be asked."""


class Recent:
    """What is kept. Looking is safe from any thread, and so is all the rest."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        # guards what follows against a change while something older is added
        self._lock = threading.Lock()
        self._era = 0
        self._paths: dict[tuple[str, ...], Found] = {}
        self._keys: dict[bytes, tuple[User, Device]] = {}

    @property
    def era(self) -> int:
        """A number that changes whenever everything is forgotten; to be taken before anything is looked up."""
        return self._era

    def find(self, names: tuple[str, ...]) -> Found | None:
        """Return what lies at a path, all of it, if that is known."""
        return self._paths.get(names)

    def find_key(self, digest: bytes) -> tuple[User, Device] | None:
        """Return the device whose key has this digest, if that is known."""
        return self._keys.get(digest)

    def keep(self, era: int, names: tuple[str, ...], found: Found) -> None:
        """Keep what lies at a path, unless everything was forgotten since *era*."""
        if _text(found.user) + _text(found.device) + _text(found.stream) <= MOST_TEXT:
            self._put(era, self._paths, names, found)

    def keep_key(self, era: int, digest: bytes, found: tuple[User, Device]) -> None:
        """Keep whose key it is, unless everything was forgotten since *era*."""
        if _text(found[0]) + _text(found[1]) <= MOST_TEXT:
            self._put(era, self._keys, digest, found)

    def forget(self) -> None:
        """Know nothing any more."""
        with self._lock:
            self._era += 1
            self._paths.clear()
            self._keys.clear()

    def _put(self, era: int, kept: dict[Key, Value], key: Key, value: Value) -> None:
        with self._lock:
            if era != self._era:
                return
            if len(kept) >= self._most:
                del kept[next(iter(kept))]  # the one that has been there longest
            kept[key] = value


def _text(row: User | Device | Stream | None) -> int:
    """Return how many characters of text a row has."""
    if row is None:
        return 0
    schema = len(row.schema) if isinstance(row, Stream) else 0
    return len(row.nickname) + len(row.description) + len(row.icon) + schema


class Nowhere:
    """Stands for a connection where only what is kept may be asked for."""

    def execute(self, *_: object) -> None:
        """Do nothing but complain."""
        raise NotRecent("this is not known without asking the storage")
