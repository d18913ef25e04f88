"""Reading the points of an export one by one: checking them, and putting them in order of time."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import IO, Any

from ...exceptions import LocalProtocolError
from ...protocol import json_text
from ...protocol.json_arrays import elements
from ...protocol.points import Datapoint
from .folder import open_plain

#: The most characters of a point: more than any server accepts in an insert.
POINT_LIMIT = 16 * 1024 * 1024

#: The most characters of a point's sender, which is a path.
_SENDER_LIMIT = 100

#: The most points in a batch, and the most characters of their text.
BATCH_POINTS = 5000
BATCH_TEXT = 4 * 1024 * 1024

#: How many bytes are read at once.
_BLOCK = 256 * 1024

#: How many points are sorted in memory at once.
_RUN = 50_000

_KEYS = {"t", "d", "o"}

#: Called with how many bytes were read.
Read = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Survey:
    """How many points a file has, and whether they are in order of time."""

    number: int
    ordered: bool


def survey(path: Path, read: Read) -> Survey:
    """
    Check all points in a file; return how many there are, and whether they are in order.

    Raises:
        ValueError: They are not valid; the message says which point and why.
        OSError: The file cannot be read.
    """
    number, ordered, before = 0, True, 0.0
    for point, _ in points_of(path, read):
        number += 1
        ordered = ordered and before <= point["t"]
        before = point["t"]
    return Survey(number, ordered)


def points_of(path: Path, read: Read) -> Generator[tuple[Datapoint, int], None, None]:
    """Yield the points of a file in its order, each with the length of its text; raises as `survey`."""
    with open_plain(path) as file:
        number = 0
        try:
            for element, size in elements(_blocks(file, read), POINT_LIMIT):
                yield _checked(element), size
                number += 1
        except ValueError as error:
            raise ValueError(f"point {number}: {error}") from error


def _blocks(file: IO[bytes], read: Read) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        read(len(block))
        yield block


def _checked(element: Any) -> Datapoint:
    if type(element) is not dict:
        raise ValueError("a datapoint is an object with 't' and 'd'")
    t, d, o = element.get("t"), element.get("d"), element.get("o")
    if not (type(t) is int or type(t) is float) or not isfinite(t) or t < 0:
        raise ValueError(f"its time is {t!r:.60}; expected seconds since 1970")
    if not element.keys() <= _KEYS:
        raise ValueError(f"it has {', '.join(sorted(element.keys() - _KEYS))!r:.60}; expected 't', 'd' and 'o' only")
    try:
        json_text.checked(d)
        json_text.checked(o)
    except LocalProtocolError as error:
        raise ValueError(str(error)) from error
    point: Datapoint = {"t": t}
    if d is not None:
        point["d"] = d
    if o:
        if type(o) is not str or len(o) > _SENDER_LIMIT:
            raise ValueError("where it came from, 'o', is no path")
        point["o"] = o
    return point


@contextmanager
def in_order(path: Path, found: Survey, space: Path, read: Read) -> Iterator[Iterator[tuple[Datapoint, int]]]:
    """
    Give the block the points of a file in order of time; points with equal times stay in the order of the file.

    In some old exports they are not in order (https://github.com/heedy/heedy/issues/320). Such points are sorted in pieces, on disk.

    Args:
        path: The file.
        found: The result of `survey`.
        space: A folder in which a temporary folder for the pieces can be made.
        read: Called with how many bytes were read.
    """
    with closing(points_of(path, read)) as points:
        if found.ordered:
            yield points
            return
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".import-", dir=space)))
            yield heapq.merge(*_sorted_runs(points, folder, stack), key=_time)


def _time(point: tuple[Datapoint, int]) -> float:
    return float(point[0]["t"])


def _sorted_runs(
    points: Iterator[tuple[Datapoint, int]], folder: Path, stack: ExitStack
) -> list[Iterator[tuple[Datapoint, int]]]:
    runs: list[Iterator[tuple[Datapoint, int]]] = []
    for first in points:
        run = [first, *(point for _, point in zip(range(_RUN - 1), points, strict=False))]
        run.sort(key=_time)
        file = stack.enter_context(open(folder / str(len(runs)), "w+b"))
        for point in run:
            file.write(json_text.dumps(point) + b"\n")
        file.seek(0)
        runs.append(_loaded(file))
    return runs


def _loaded(file: IO[bytes]) -> Iterator[tuple[Datapoint, int]]:
    for line in file:
        point, size = json_text.loads(line)
        yield point, size


def batches(points: Iterator[tuple[Datapoint, int]], skip: int) -> Iterator[list[Datapoint]]:
    """Yield the points after the first *skip* of them, in batches of a size that is stored at once."""
    batch: list[Datapoint] = []
    size = 0
    for number, (point, length) in enumerate(points):
        if number < skip:
            continue
        batch.append(point)
        size += length
        if len(batch) == BATCH_POINTS or size >= BATCH_TEXT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def first_difference(points: Iterator[tuple[Datapoint, int]], stored: Iterator[list[Datapoint]]) -> int | None:
    """Return the index of the first stored point that differs from that of the export; `None` if none does."""
    index = 0
    for point in chain.from_iterable(stored):
        mine = next(points, None)
        if mine is None:
            return None
        if _comparable(mine[0]) != _comparable(point):
            return index
        index += 1
    return None


def _comparable(point: Datapoint) -> tuple[float, Any, str]:
    return float(point["t"]), json_text.comparable(point.get("d")), point.get("o") or ""
