"""Databases of our server, filled by its own storage without a server in between: quick, and the same files."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

from connectordb.protocol.points import Datapoint
from connectordb.server import create
from connectordb.server.storage import Series, SQLiteStorage, Stream, Writer

USER, PASSWORD = "test", "test"
SCHEMA = '{"type":"number"}'

#: Points that are handed to the storage at once.
_SLICE = 20_000

_DEVICE = {
    **dict.fromkeys(("nickname", "description", "icon", "role"), ""),
    **dict.fromkeys(("enabled", "visible", "user_editable"), True),
    "public": False,
}
_STREAM = {
    **dict.fromkeys(("nickname", "description", "icon", "datatype"), ""),
    "schema": SCHEMA,
    "ephemeral": False,
    "downlink": False,
}


class Filling:
    """A database folder while it is filled."""

    def __init__(self, storage: SQLiteStorage) -> None:
        self._storage = storage

    def devices(self, names: list[str]) -> None:
        """Make devices, whose API keys are their names, each with a stream ``s`` of numbers."""

        def work(writer: Writer) -> None:
            user = writer.find((USER,)).user
            assert user is not None
            for name in names:
                device = writer.create_device(user.id, {**_DEVICE, "name": name, "apikey": name})
                writer.create_stream(device.id, {**_STREAM, "name": "s"})

        self._storage.write(work).result()

    def streams(self, device: str, names: list[str]) -> None:
        """Make more streams of numbers below a device."""

        def work(writer: Writer) -> None:
            parent = writer.find((USER, device)).device
            assert parent is not None
            for name in names:
                writer.create_stream(parent.id, {**_STREAM, "name": name})

        self._storage.write(work).result()

    def points(self, device: str, number: int, jitter: float = 0.0, stream: str = "s") -> None:
        """Fill a stream of a device with what `thermometer` says."""
        for first in range(0, number, _SLICE):
            points = thermometer(first, min(_SLICE, number - first), jitter)
            self._storage.write(lambda writer, points=points: _insert(writer, (USER, device, stream), points)).result()  # type: ignore[misc]


def _insert(writer: Writer, path: tuple[str, ...], points: list[Datapoint]) -> None:
    stream = writer.find(path).stream
    assert isinstance(stream, Stream)
    writer.insert(Series(stream.id), points, False)


def thermometer(first: int, number: int, jitter: float = 0.0) -> list[Datapoint]:
    """
    Return what a thermometer says: a point a second, with two digits behind the point.

    Args:
        first: The index of the first point.
        number: How many.
        jitter: By up to how many seconds the times are off; 0 leaves them whole.
    """
    return [{"t": _time(k, jitter), "d": _value(k)} for k in range(first, first + number)]


def _time(k: int, jitter: float) -> float:
    return 1.5e9 + k + (round(k * 7919 % 997 / 997 * jitter, 3) if jitter else 0)


def _value(k: int) -> float:
    # a day's course, and a sensor's noise that always comes out the same
    return round(20 + 5 * math.sin(k / 13750) + (k * 7919 % 101 - 50) / 400, 2)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[Filling]:
    """Make a database folder that is filled in the block, and closed behind it."""
    create(folder, user=USER, password=PASSWORD)
    with reopened(folder) as filling:
        yield filling


@contextlib.contextmanager
def reopened(folder: Path) -> Iterator[Filling]:
    """Have a database folder filled further in the block."""
    storage = SQLiteStorage(folder / "connectordb.db")
    try:
        yield Filling(storage)
    finally:
        storage.close()
