"""Reads the points of an answer that may be larger than memory, while it comes."""

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

#: The most characters that a point may have.
_LONGEST = 64 * 1024 * 1024

#: For `coming_arrays`: the bytes of text to read at a time, and the points in a list.
_LARGE, _AT_ONCE = 2 * 1024 * 1024, 10_000

#: How many bytes of an answer an error shows that makes no sense.
_SHOWN = 80


def coming(session: Session, request: rest.Request[list[Datapoint]]) -> Iterator[Datapoint]:
    """
    Yield the points of the answer to a request while they come. The request is sent with the first `next`.

    What comes while the caller does something else waits in memory, as much as a `Backlog` holds. If the answer breaks off, the
    server is asked again, and the points continue if its new answer begins like the old one (see `Pieces`).

    Raises:
        ConnectorDBError: As `Session.call`; if points came before, the message says how many.
    """
    with _answer(session, request) as (cost, blocks):
        for array in arrays(blocks, _LONGEST, 1):
            for element in json_text.loads(array) if isinstance(array, bytes) else array:
                cost.points_read += 1
                yield read_point(element)


def coming_arrays(session: Session, request: rest.Request[list[Datapoint]]) -> Iterator[list[Datapoint] | bytes]:
    """As `coming`, but many points at a time: as a list of points, or, if all values are numbers, as the text of a JSON array."""
    with _answer(session, request) as (cost, blocks):
        for array in arrays(_joined(blocks), _LONGEST, _AT_ONCE):
            found = array if isinstance(array, bytes) else list(map(read_point, array))
            cost.points_read += found.count(b"{") if isinstance(found, bytes) else len(found)
            yield found


def _joined(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Join blocks to large ones."""
    held: list[bytes] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= _LARGE:
            yield b"".join(held)
            held.clear()
    yield b"".join(held)


@contextmanager
def _answer(session: Session, request: rest.Request[list[Datapoint]]) -> Iterator[tuple[Stats, Iterable[bytes]]]:
    """
    Yield counters, to which the caller adds the points that it has read, and the text of the answer, block by block.

    Errors that come up while the text is read, in the network or because it makes no sense, are raised as ours from the ``with``.
    """
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
    except GeneratorExit:  # the caller wants no more points
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
    """Blocks of text, of which the first characters are kept for error messages."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self.text = b""

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            if len(self.text) < _SHOWN:
                self.text += block[:_SHOWN]
            yield block
