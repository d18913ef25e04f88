"""The points of an answer that may be larger than memory, while it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from ...exceptions import ConnectionFailed, ConnectorDBError, ProtocolError
from ...protocol import json_text, refusals, rest
from ...protocol.constants import API_ROOT
from ...protocol.json_arrays import arrays
from ...protocol.points import Datapoint, read_point
from ...protocol.reply import Reply
from ..http import Damaged, unpacked
from ..session import Session
from ..terms import notes
from ..terms.statistics import Stats
from .backlog import Backlog

#: Characters that a point may have.
_LONGEST = 64 * 1024 * 1024

#: Bytes of text, and else points, that make an array.
_LARGE, _AT_ONCE = 2 * 1024 * 1024, 10_000

#: Bytes of an answer that are shown where it is none.
_SHOWN = 80


def coming(session: Session, request: rest.Request[list[Datapoint]]) -> Iterator[Datapoint]:
    """
    Yield the points that answer a request, while they come; it is sent with the first `next`.

    What comes while whoever takes them does something else waits here, up to what a `Backlog` holds.

    Raises:
        ConnectorDBError: As `Session.call`. If points came before, it says how many: what breaks off is asked for again, and gone on
            with if it is the same to there (`Pieces`).
    """
    with _answer(session, request) as (cost, blocks):
        for array in arrays(blocks, _LONGEST, 1):
            for element in json_text.loads(array) if isinstance(array, bytes) else array:
                cost.points_read += 1
                yield read_point(element)


def coming_arrays(session: Session, request: rest.Request[list[Datapoint]]) -> Iterator[list[Datapoint] | bytes]:
    """As `coming`, many points at a time: as lists, and those of which each is a time and a number as the text of an array."""
    with _answer(session, request) as (cost, blocks):
        for array in arrays(_joined(blocks), _LONGEST, _AT_ONCE):
            found = array if isinstance(array, bytes) else list(map(read_point, array))
            cost.points_read += found.count(b"{") if isinstance(found, bytes) else len(found)
            yield found


def _joined(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield large blocks."""
    held: list[bytes] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= _LARGE:
            yield b"".join(held)
            held.clear()
    yield b"".join(held)


@contextmanager
def _answer(session: Session, request: rest.Request[list[Datapoint]]) -> Iterator[tuple[Stats, Iterable[bytes]]]:
    """Yield the text of the answer, of which points are made in the block, and what it costs, which is to be told how many."""
    cost, failed = Stats(), True
    try:
        pieces = session.pieces(request, cost)
        with closing(Backlog(session, iter(pieces))) as backlog:
            begin = _Begin(unpacked(backlog, lambda: pieces.encoding))
            try:
                yield cost, begin
            except (ValueError, ProtocolError) as error:
                reply = Reply(200, begin.text, address=pieces.address)
                raise refusals.no_answer(request.method, request.path, reply, error) from error
            except Damaged as error:
                what = f"{request.method} {pieces.address}{API_ROOT}{request.path}"
                raise ConnectionFailed(f"{what}: the connection broke: {error}") from error
        failed = False
    except GeneratorExit:  # whoever takes them has enough
        failed = False
        raise
    except ConnectorDBError as error:
        error.attempts, error.stats = cost.requests, cost
        if cost.points_read:
            notes.add(error, f" (after {cost.points_read:,} {'point' if cost.points_read == 1 else 'points'})")
        raise
    finally:
        session.statistics.add(cost, failed)


class _Begin:
    """Blocks of text, of which the first characters are remembered."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self.text = b""

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            if len(self.text) < _SHOWN:
                self.text += block[:_SHOWN]
            yield block
