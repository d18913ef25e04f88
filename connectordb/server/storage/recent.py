"""
A cache of what was looked up: objects by path, devices by API key. Most requests ask for the same few again and again.

All threads of a storage share it. Only the writer changes the file, so what is kept stays valid until the writer forgets
everything at once: after the commit of a change to users, devices or streams, and before anybody is told of that commit. Points
are not kept.
"""

from __future__ import annotations

import threading
from typing import TypeVar

from ...exceptions import ConnectorDBError
from .contract import Device, Found, Stream, User

Key = TypeVar("Key")
Value = TypeVar("Value")

#: The most paths, and the most keys, that are kept; and the most text in the objects of one. Together that is a few megabytes,
#: whatever people write into descriptions and icons.
MOST = 2048
MOST_TEXT = 4096


class NotRecent(ConnectorDBError):
    """This is not in the cache; the storage itself has to be asked."""


class Recent:
    """The cache. May be used from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        # guards what follows, so that nothing outdated is added while everything is forgotten
        self._lock = threading.Lock()
        self._era = 0
        self._paths: dict[tuple[str, ...], Found] = {}
        self._keys: dict[bytes, tuple[User, Device]] = {}

    @property
    def era(self) -> int:
        """A number that changes whenever everything is forgotten. Take it before you look something up, and pass it to `keep`."""
        return self._era

    def find(self, names: tuple[str, ...]) -> Found | None:
        """Return what is at a path, if it is kept; then nothing on the path is missing."""
        return self._paths.get(names)

    def find_key(self, digest: bytes) -> tuple[User, Device] | None:
        """Return the device whose key has this digest, and its user, if they are kept."""
        return self._keys.get(digest)

    def keep(self, era: int, names: tuple[str, ...], found: Found) -> None:
        """Keep what is at a path, unless everything was forgotten since *era*."""
        if _text(found.user) + _text(found.device) + _text(found.stream) <= MOST_TEXT:
            self._put(era, self._paths, names, found)

    def keep_key(self, era: int, digest: bytes, found: tuple[User, Device]) -> None:
        """Keep the device that has a key, unless everything was forgotten since *era*."""
        if _text(found[0]) + _text(found[1]) <= MOST_TEXT:
            self._put(era, self._keys, digest, found)

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._era += 1
            self._paths.clear()
            self._keys.clear()

    def _put(self, era: int, kept: dict[Key, Value], key: Key, value: Value) -> None:
        with self._lock:
            if era != self._era:
                return
            if len(kept) >= self._most:
                del kept[next(iter(kept))]  # the oldest one
            kept[key] = value


def _text(row: User | Device | Stream | None) -> int:
    """Return how many characters of text a row has."""
    if row is None:
        return 0
    schema = len(row.schema) if isinstance(row, Stream) else 0
    return len(row.nickname) + len(row.description) + len(row.icon) + schema


class Nowhere:
    """Takes the place of a connection for a reader that may only use the cache."""

    def execute(self, *_: object) -> None:
        """Raise `NotRecent`."""
        raise NotRecent("this is not known without asking the storage")
