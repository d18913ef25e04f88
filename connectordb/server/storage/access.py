"""The contract's reader and writer on one connection, made of its rows and its points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from ...protocol.points import Datapoint
from ...runtime.sqlite import Connection
from .appends import Appends
from .contract import Device, Found, Gone, Inserted, InsertKey, Reader, Remembered, Series, Stream, User, Writer
from .keys import InsertKeys
from .points import Points
from .recent import Recent
from .rows import Table, key_digest, same_key

#: The most chunks that are removed in the transaction that deletes their streams. SQLite has to read what it removes: ten million
#: points take seconds on a slow disk, during which nobody else could write.
_AT_ONCE = 100


class SQLiteReader(Reader):
    """
    Reads through a connection on which a transaction has begun.

    Args:
        connection: The connection.
        recent: What was looked up before; without it, nothing is kept in memory.
        appends: For a writer: points that are not in the file yet.
    """

    def __init__(self, connection: Connection, recent: Recent | None = None, appends: Appends | None = None) -> None:
        self._connection = connection
        self._recent = recent
        #: The era of `recent` when the transaction began.
        self._era = 0
        self._users = Table(connection, "users", User)
        self._devices = Table(connection, "devices", Device, parent="user_id")
        self._streams = Table(connection, "streams", Stream, parent="device_id")
        self._points = Points(connection, appends)
        self._insert_keys = InsertKeys(connection)

    def begin(self) -> None:
        """Note that a transaction begins."""
        if self._recent is not None:
            self._era = self._recent.era

    def _kept(self) -> Recent | None:
        """Return what was looked up before, if it is valid in this transaction."""
        return self._recent

    def find(self, names: Sequence[str]) -> Found:
        """Return what lies at a path of one to three names."""
        recent = self._kept()
        if recent is None:
            return self._find(names)
        path = tuple(names)
        found = recent.find(path)
        if found is None:
            found = self._find(names)
            # only whole paths are kept: strangers could ask for any number of paths that do not exist
            if (found.user, found.device, found.stream)[len(path) - 1] is not None:
                recent.keep(self._era, path, found)
        return found

    def _find(self, names: Sequence[str]) -> Found:
        user = self._users.one("WHERE name = ?", names[0])
        if user is None or len(names) == 1:
            return Found(user)
        device = self._devices.one("WHERE user_id = ? AND name = ?", user.id, names[1])
        if device is None or len(names) == 2:
            return Found(user, device)
        return Found(user, device, self._streams.one("WHERE device_id = ? AND name = ?", device.id, names[2]))

    def find_login(self, name_or_email: str) -> User | None:
        """Return the user with this name or email address, ignoring case (of ASCII); an exact match comes first."""
        # two searches inside an IN, because for an OR SQLite would go through the whole table
        return self._users.one(
            "WHERE id IN (SELECT id FROM users WHERE name = ?1 COLLATE NOCASE"
            " UNION ALL SELECT id FROM users WHERE email = ?1 COLLATE NOCASE)"
            " ORDER BY name = ?1 DESC, email = ?1 DESC, id",
            name_or_email,
        )

    def find_key(self, apikey: str) -> tuple[User, Device] | None:
        """Return the device with this API key, and its user; `None` for an empty key."""
        digest = key_digest(apikey)
        if digest is None:
            return None
        recent = self._kept()
        found = recent.find_key(digest) if recent else None
        if found is None:
            device = self._devices.one("WHERE key_digest = ?", digest)
            if device is None:
                return None
            found = self._users.get(device.user_id), device
            if recent is not None:
                recent.keep_key(self._era, digest, found)
        return found if same_key(found[1].apikey, apikey) else None

    def users(self) -> list[User]:
        """Return all users."""
        return list(self._users.where("ORDER BY id"))

    def devices(self, user_id: int) -> list[Device]:
        """Return a user's devices."""
        return list(self._devices.where("WHERE user_id = ? ORDER BY id", user_id))

    def streams(self, device_id: int) -> list[Stream]:
        """Return a device's streams."""
        return list(self._streams.where("WHERE device_id = ? ORDER BY id", device_id))

    def user_streams(self, user_id: int) -> list[tuple[Device, Stream]]:
        """Return the streams of all of a user's devices, with their devices."""
        devices = {device.id: device for device in self.devices(user_id)}
        owned = "WHERE device_id IN (SELECT id FROM devices WHERE user_id = ?) ORDER BY id"
        return [(devices[stream.device_id], stream) for stream in self._streams.where(owned, user_id)]

    def counts(self) -> Mapping[str, int]:
        """Return how many users, devices and streams there are."""
        return {"users": self._users.count(), "devices": self._devices.count(), "streams": self._streams.count()}

    def length(self, series: Series) -> int:
        """Return the number of points."""
        return self._points.length(series)

    def newest(self, series: Series) -> float | None:
        """Return the time of the newest point."""
        return self._points.newest(series)

    def size(self, series: Series) -> int:
        """Return how many bytes the points are as JSON text."""
        return self._points.size(series)

    def device_size(self, device_id: int) -> int:
        """Return the sizes of all series of a device, together."""
        rows: list[Any] = self._connection.execute(
            "SELECT id FROM streams WHERE device_id = ?", (device_id,)
        ).fetchall()
        return sum(self.size(Series(id, downlink)) for ((id,), downlink) in product(rows, (False, True)))

    def stream_count(self, device_id: int) -> int:
        """Return how many streams a device has."""
        ((number,),) = self._connection.execute("SELECT count(*) FROM streams WHERE device_id = ?", (device_id,))
        return int(number)

    def index_after(self, series: Series, t: float) -> int:
        """Return the index of the first point later than *t*."""
        return self._points.index_after(series, t)

    def text(self, series: Series, first: int, last: int, budget: int) -> tuple[bytes, int]:
        """Return points as text, and the index of the next point."""
        return self._points.text(series, first, last, budget)

    def recall_insert(self, key: InsertKey) -> Remembered | None:
        """Return the insert that was made under a key."""
        return self._insert_keys.recall(key)

    def count_inserts(self, device_id: int) -> int:
        """Return how many inserts of a device are remembered."""
        return self._insert_keys.count(device_id)


class SQLiteWriter(SQLiteReader, Writer):
    """
    Reads and changes through a connection on which a transaction that may write has begun.

    A transaction consists of `begin`, writes that are each followed by `finish` or `undo`, `flush`, the commit, and `end`.
    """

    def __init__(self, connection: Connection, recent: Recent | None = None) -> None:
        self._appends = Appends(connection)
        super().__init__(connection, recent, self._appends)
        #: Ids of streams that are known to exist in this transaction.
        self._there: set[int] = set()
        self.finish = self._appends.finish
        self.undo = self._appends.undo
        self.flush = self._appends.flush

    def begin(self) -> None:
        """Note that a transaction begins."""
        super().begin()
        self._there.clear()

    def end(self, *, committed: bool) -> None:
        """Note that the transaction has ended. To be called before anybody is told about it."""
        self._appends.end(committed=committed)
        tables = (self._users, self._devices, self._streams)
        if any(table.changed for table in tables):
            for table in tables:
                table.changed = False
            if self._recent is not None:
                self._recent.forget()

    def _kept(self) -> Recent | None:
        # once this transaction has changed something, only the file is right
        changed = self._users.changed or self._devices.changed or self._streams.changed
        return None if changed else self._recent

    def find(self, names: Sequence[str]) -> Found:
        """Return what lies at a path of one to three names."""
        found = super().find(names)
        if found.stream is not None:
            self._there.add(found.stream.id)
        return found

    def create_user(self, fields: Mapping[str, Any]) -> User:
        """Make a user."""
        self._appends.settle()
        return self._users.create(fields)

    def create_device(self, user_id: int, fields: Mapping[str, Any]) -> Device:
        """Make a device."""
        self._appends.settle()
        return self._devices.create({**fields, "user_id": self._users.get(user_id).id})

    def create_stream(self, device_id: int, fields: Mapping[str, Any]) -> Stream:
        """Make a stream."""
        self._appends.settle()
        return self._streams.create({**fields, "device_id": self._devices.get(device_id).id})

    def update_user(self, user_id: int, fields: Mapping[str, Any]) -> User:
        """Change some columns."""
        self._appends.settle()
        return self._users.update(user_id, fields)

    def update_device(self, device_id: int, fields: Mapping[str, Any]) -> Device:
        """Change some columns."""
        self._appends.settle()
        return self._devices.update(device_id, fields)

    def update_stream(self, stream_id: int, fields: Mapping[str, Any]) -> Stream:
        """Change some columns; turning ``downlink`` off removes the downlink's points."""
        self._appends.settle()
        before = self._streams.get(stream_id)
        after = self._streams.update(stream_id, fields)
        if before.downlink and not after.downlink:
            self.clear(Series(stream_id, downlink=True))
        return after

    def delete_user(self, user_id: int) -> None:
        """Remove a user with all that is below."""
        self._appends.settle()
        self._there.clear()
        self._drop_points(stream.id for _, stream in self.user_streams(user_id))
        self._users.delete(user_id)

    def delete_device(self, device_id: int) -> None:
        """Remove a device with its streams and their points."""
        self._appends.settle()
        self._there.clear()
        self._drop_points(stream.id for stream in self.streams(device_id))
        self._devices.delete(device_id)

    def delete_stream(self, stream_id: int) -> None:
        """Remove a stream with its points."""
        self._appends.settle()
        self._there.clear()
        self._drop_points([stream_id])
        self._streams.delete(stream_id)

    def clear(self, series: Series) -> None:
        """Remove the points of a series."""
        self._points.clear(series)

    def insert(self, series: Series, points: Sequence[Datapoint], restamp: bool) -> Inserted:
        """Append points."""
        if series.stream_id not in self._there and not self._streams.has(series.stream_id):
            raise Gone("the stream is not there any more")
        return self._points.insert(series, points, restamp)

    def remember_insert(self, key: InsertKey, what: Remembered) -> None:
        """Remember an insert under its key."""
        self._appends.settle()
        self._insert_keys.remember(key, what)

    def forget_inserts(self, age: float, most: int) -> int:
        """Forget old inserts; return how many."""
        self._appends.settle()
        return self._insert_keys.forget(age, most)

    def sweep(self, most: int) -> bool:
        """Remove some more points of deleted streams."""
        return self._points.sweep(most)

    def _drop_points(self, stream_ids: Iterable[int]) -> None:
        """Remove the points of streams that are being deleted; if there are many, `sweep` removes the rest."""
        left = _AT_ONCE
        for id, downlink in product(stream_ids, (False, True)):
            left -= self._points.drop(Series(id, downlink), left)
