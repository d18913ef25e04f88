"""Harm done to a file, and whether all is there that should be afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from connectordb.exceptions import StorageDamaged
from connectordb.logger.rows.store import Store
from connectordb.runtime.sqlite_log import Frame, Log

from .shapes import PAGE, Shape, contents

_HALF = PAGE // 2


def _flipped(page: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(page) - 16)
    return page[:at] + chance.randbytes(16) + page[at + 16 :]


#: What may happen to a page.
HARMS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "zeroed": lambda page, chance: b"\0" * len(page),
    "random": lambda page, chance: chance.randbytes(len(page)),
    "first half zeroed": lambda page, chance: b"\0" * _HALF + page[_HALF:],
    "second half zeroed": lambda page, chance: page[:_HALF] + b"\0" * (len(page) - _HALF),
    "16 bytes flipped": _flipped,
    "its head flipped": lambda page, chance: chance.randbytes(16) + page[16:],
}


@dataclass(frozen=True)
class Harmed:
    """A file that was harmed, what was done to it, and the pages of which nothing can be expected."""

    path: Path
    what: str
    pages: frozenset[int]


def page_harmed(shape: Shape, folder: Path, harm: str, page: int, chance: random.Random) -> Harmed:
    """Return a copy of the file with one page harmed."""
    path = shape.copy_to(folder)
    data, at = path.read_bytes(), (page - 1) * PAGE
    path.write_bytes(data[:at] + HARMS[harm](data[at : at + PAGE], chance) + data[at + PAGE :])
    return Harmed(path, f"page {page} of {shape.pages} {harm}", frozenset([page]))


def cut_off(shape: Shape, folder: Path, size: int) -> Harmed:
    """Return a copy of the file that ends at a byte."""
    path = shape.copy_to(folder)
    path.write_bytes(path.read_bytes()[:size])
    return Harmed(path, f"cut off at {size}", frozenset(range(size // PAGE + 1, shape.pages + 2)))


def frames(shape: Shape) -> list[Frame]:
    """Return the frames of the file's log but for those of its last transaction, which may be torn off; none if it has no log."""
    with Log(shape.path) as log:
        found = list(log.frames())
    ends = [frame.number for frame in found if frame.ends]
    return [frame for frame in found if frame.number <= ends[-2]] if len(ends) > 1 else []


def log_harmed(shape: Shape, folder: Path, harm: str, frame: Frame | None, chance: random.Random) -> Harmed:
    """Return a copy of the file with one frame of its log harmed, or with the header of that."""
    path = shape.copy_to(folder)
    log = Path(f"{path}-wal")
    data = log.read_bytes()
    at, size = (0, 32) if frame is None else (frame.content, PAGE)
    log.write_bytes(data[:at] + HARMS[harm](data[at : at + size], chance) + data[at + size :])
    where = "the header" if frame is None else f"frame {frame.number} (page {frame.page})"
    # the page may be in a later frame as well, or it is gone
    return Harmed(path, f"{where} of the log {harm}", frozenset() if frame is None else frozenset([frame.page]))


def differences(shape: Shape, harmed: Harmed) -> Iterator[str]:
    """Open the file, and yield what is not as it should be."""
    try:
        store = Store(harmed.path)
    except StorageDamaged as error:
        yield f"{harmed.what}: not opened: {error}"
        return
    try:
        waiting_counted, ledgers = store.points.waiting(), store.points.ledgers()
        store.catalogue.settings()
    finally:
        store.close()
    waiting, aside, numbers = contents(harmed.path)
    mended = any(".damaged-" in path.name for path in harmed.path.parent.iterdir())
    there = {*waiting, *aside}
    for kind, pages in (("waiting", shape.waiting), ("set aside", shape.aside)):
        for page, rows in pages.items():
            # of a row that goes on in other pages nothing is known here
            missing = [row for row in rows if row not in there and len(row[2]) < PAGE // 2]
            if missing and page not in harmed.pages:
                yield f"{harmed.what}: {len(missing)} rows {kind} of page {page} are missing, first {missing[0]}"
    if not mended:
        return
    if waiting_counted != len(waiting):
        yield f"{harmed.what}: {len(waiting)} rows wait, counted are {waiting_counted}"
    for ledger in ledgers:
        accepted, confirmed, set_aside, dropped, lost = numbers[ledger.name]
        if ledger.accepted != confirmed + ledger.waiting + set_aside + dropped + lost or min(numbers[ledger.name]) < 0:
            yield f"{harmed.what}: the numbers of {ledger.name} do not add up: {ledger}, {numbers[ledger.name]}"
        if confirmed and ledger.accepted != shape.accepted.get(ledger.name):
            yield f"{harmed.what}: {ledger.name} accepted {shape.accepted.get(ledger.name)} points, not {ledger.accepted}"
    names = [path.name for path in harmed.path.parent.iterdir()]
    left = [name for name in names if name.endswith((".mending", ".mended", ".suspect"))]
    if left:
        yield f"{harmed.what}: left over: {left}"
