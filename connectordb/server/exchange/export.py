"""
Export: writing everything in a database, as it is at one moment, to a folder, while its server may run.

One long view of the database would keep SQLite's log from being cut back, for hours on a slow disk. It is not needed, as points
are only ever appended, and their indices never change. So one short view is enough to see all users, devices and streams, and how
long each series is. Then each series is read up to that length in short views. Streams that are deleted meanwhile are left out,
and reported.
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

#: How many bytes of points are read in one view.
_PAGE = 1024 * 1024


@dataclass(slots=True)
class Exported:
    """
    What was exported.

    Attributes:
        users: How many users.
        devices: How many devices, including those that every user has.
        streams: How many streams.
        points: How many points, including those of downlinks.
        gone: The paths of streams that were deleted meanwhile, and are not in the export.
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
    """How many points a series has, and the time of the last one."""

    length: int
    newest: float | None


@dataclass(frozen=True, slots=True)
class _Tree:
    """A stream, with the extents of its own series and of its downlink's."""

    stream: Stream
    data: _Extent
    downlink: _Extent


#: Everything in the database: all users with their devices with their streams.
_Snapshot = list[tuple[User, list[tuple[Device, list[_Tree]]]]]


def export_database(
    directory: str | os.PathLike[str], out: str | os.PathLike[str], progress: Progress | None = None
) -> Exported:
    """
    Write all that a database holds at this moment to a folder, as ``connectordb export`` of a 0.3 server does.

    Only its owner can read the folder, as it holds password hashes and API keys. It is complete when ``connectordb.json`` is in it.
    What a killed export has left is removed by the next one to the same folder.

    Args:
        directory: The database's folder; its server may run.
        out: The folder to write; it must not exist.
        progress: Called now and then.

    Raises:
        StorageFull: There is no space.
        StorageError: *out* exists, it cannot be written, or the database is damaged.
    """
    with onlooking(directory) as source, ExportWriter(out) as writer:
        return _Export(source, writer, progress).run()


class _Export:
    """One export."""

    def __init__(self, source: Onlooker, writer: ExportWriter, progress: Progress | None) -> None:
        self._source = source
        self._writer = writer
        self._progress = progress or untold
        self._done = Exported()
        self._all = 0

    def run(self) -> Exported:
        """Export everything."""
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
        _Gone: They are not the points of the snapshot any more.
    """
    # in a downlink that was turned off and on again, all points are later than those of the snapshot
    if extent.newest is None or reader.index_after(series, extent.newest) < extent.length:
        raise _Gone("deleted while it was exported")
    text, came_to = reader.text(series, first, extent.length, _PAGE)
    if came_to == first:
        raise StorageError(f"stream {series.stream_id}: its points from index {first} on are not there")
    return text, came_to
