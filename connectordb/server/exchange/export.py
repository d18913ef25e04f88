"""
Export: everything of a database, as it is at one moment, to a folder; its server may run meanwhile.

A long view of the database would keep SQLite's log from being cut back, for hours on a slow disk. It is not needed: points are
only ever appended, under indices that never change. So one short view tells all users, devices and streams, and how long each
series is; then each series is read up to there in short views. What was deleted meanwhile is left out, and told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from ...exceptions import ConnectorDBError, StorageError
from ..onlooker import Onlooker, onlooking
from ..progress import Progress, untold
from ..storage import Device, Reader, Series, Stream, User
from .writer import ExportWriter

#: Bytes of points that are read in one view.
_PAGE = 1024 * 1024


@dataclass(slots=True)
class Exported:
    """
    What an export came to.

    Attributes:
        users: How many.
        devices: How many, those included that every user has.
        streams: How many.
        points: How many, those of downlinks included.
        gone: What was deleted while it was exported, and is not in the export: paths.
    """

    users: int = 0
    devices: int = 0
    streams: int = 0
    points: int = 0
    gone: list[str] = field(default_factory=list)


class _Gone(ConnectorDBError):
    """The points that are being read were deleted."""


@dataclass(frozen=True, slots=True)
class _Extent:
    """How many points a series has, and the last one's time."""

    length: int
    newest: float | None


@dataclass(frozen=True, slots=True)
class _Tree:
    """A stream with the extents of its points and its downlink's."""

    stream: Stream
    data: _Extent
    downlink: _Extent


#: All there is: users, with their devices, with their streams.
_Snapshot = list[tuple[User, list[tuple[Device, list[_Tree]]]]]


def export_database(
    directory: str | os.PathLike[str], out: str | os.PathLike[str], progress: Progress | None = None
) -> Exported:
    """
    Write all that a database holds at this moment into a folder, as ``connectordb export`` of a 0.3 server does.

    The folder holds password hashes and API keys, and is for its owner only. It is complete when ``connectordb.json`` is in it;
    what an export that was killed has left is removed by the next one to the same folder.

    Args:
        directory: The database's folder, whether its server runs or not.
        out: Where to; there must be nothing.
        progress: Called now and then.

    Raises:
        StorageFull: There is no space.
        StorageError: There is something at *out*, it cannot be written, or the database is damaged.
    """
    with onlooking(directory) as source, ExportWriter(out) as writer:
        return _Export(source, writer, progress).run()


class _Export:
    """One export: from where, to where."""

    def __init__(self, source: Onlooker, writer: ExportWriter, progress: Progress | None) -> None:
        self._source = source
        self._writer = writer
        self._progress = progress or untold
        self._done = Exported()
        self._all = 0

    def run(self) -> Exported:
        """Do it."""
        snapshot = self._source.look(_snapshot)
        self._all = sum(
            tree.data.length + tree.downlink.length for _, devices in snapshot for _, trees in devices for tree in trees
        )
        for user, devices in snapshot:
            self._writer.user(user)
            self._done.users += 1
            for device, trees in devices:
                self._writer.device(device)
                self._done.devices += 1
                for tree in trees:
                    self._stream(f"{user.name}/{device.name}/{tree.stream.name}", tree)
        return self._done

    def _stream(self, path: str, tree: _Tree) -> None:
        before = self._done.points
        self._writer.stream(tree.stream)
        try:
            self._series(path, Series(tree.stream.id), tree.data)
            if tree.stream.downlink:
                self._series(path, Series(tree.stream.id, downlink=True), tree.downlink)
            self._done.streams += 1
        except _Gone:
            self._writer.drop()
            self._done.gone.append(path)
            self._done.points = before

    def _series(self, path: str, series: Series, extent: _Extent) -> None:
        def pieces() -> Iterator[bytes]:
            at = 0
            while at < extent.length:
                text, came_to = self._source.look(partial(_page, series=series, first=at, extent=extent))
                self._done.points += came_to - at
                at = came_to
                yield text
                self._progress(path, self._done.points, self._all)

        self._writer.points(pieces(), downlink=series.downlink)


def _snapshot(reader: Reader) -> _Snapshot:
    return [
        (
            user,
            [
                (device, [_tree(reader, stream) for stream in reader.streams(device.id)])
                for device in reader.devices(user.id)
            ],
        )
        for user in reader.users()
    ]


def _tree(reader: Reader, stream: Stream) -> _Tree:
    return _Tree(stream, *(_extent(reader, Series(stream.id, downlink)) for downlink in (False, True)))


def _extent(reader: Reader, series: Series) -> _Extent:
    return _Extent(reader.length(series), reader.newest(series))


def _page(reader: Reader, series: Series, first: int, extent: _Extent) -> tuple[bytes, int]:
    """
    Return the next points.

    Raises:
        _Gone: They are not those that were there.
    """
    # of a downlink that was turned off and on again, all times are later
    if extent.newest is None or reader.index_after(series, extent.newest) < extent.length:
        raise _Gone("deleted while it was exported")
    text, came_to = reader.text(series, first, extent.length, _PAGE)
    if came_to == first:
        raise StorageError(f"stream {series.stream_id}: its points from index {first} on are not there")
    return text, came_to
