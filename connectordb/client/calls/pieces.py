"""
An answer that may be larger than memory: its body, piece by piece, and what happens if it breaks off.

Then the request is sent again, as any that reads, and as much as came before is passed over, if it is the same: its digest tells.
So whoever takes the pieces sees one answer, which is the last one from its beginning to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

from ...exceptions import ConnectionFailed, TimedOut
from ..terms import notes
from ..terms.statistics import Stats
from ..terms.trace import Trace
from .surroundings import Sent

if TYPE_CHECKING:
    import requests

    from .attempts import Attempts


#: What else may have happened where the connection broke: no other sign of it reaches a client.
_GIVEN_UP = "; a server that has computed an answer for too long breaks it off, and says so in its log: then ask for less at once"


class _Another(Exception):
    """The answer begins otherwise than the one that broke off."""


class Pieces:
    """
    The body of the answer to one request, to be iterated once.

    Args:
        exchange: Sends the request; returns the answer's head, whose ``raw`` is the body, and the attempt.
        attempts: Makes what decides, after a failure, whether there is another one.
        cost: Is told what it costs.

    Attributes:
        encoding: How it is packed; known once there is a piece.
        address: Whose it is, likewise.
    """

    def __init__(
        self,
        exchange: Callable[[], tuple[requests.Response, Sent]],
        attempts: Callable[[], Attempts],
        cost: Stats,
    ) -> None:
        self._exchange = exchange
        self._new_attempts = attempts
        self._cost = cost
        #: What came so far.
        self._digest = blake2b(digest_size=16)
        self._length = 0
        self.encoding = self.address = ""

    def __iter__(self) -> Generator[bytes, None, None]:
        """
        Yield the pieces, as they were sent.

        Raises:
            ConnectorDBError: As a call; also where the answer broke off and what the server answers now begins otherwise.
        """
        attempts: Attempts | None = None
        broken: ConnectionFailed | None = None
        while True:
            response, sent = self._exchange()
            try:
                with closing(response.raw) as body, self._counted(sent.trace):
                    self.encoding = self.encoding or response.headers.get("Content-Encoding", "")
                    self.address = sent.endpoint.url
                    yield from self._beyond(body)
                return
            except _Another:
                assert broken is not None
                notes.add(broken, "; asked again, the server answers something else now: begin anew")
                raise broken from None
            except ConnectionFailed as error:
                broken = error
            finally:
                del response
            attempts = attempts or self._new_attempts()
            try:
                attempts.failed(broken, sent)
            except ConnectionFailed as told:
                if self._length and not isinstance(told, TimedOut):
                    notes.add(told, _GIVEN_UP)
                raise

    def _beyond(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what has not come yet."""
        known, seen = self._length, blake2b(digest_size=16)
        for piece in body:
            if known:
                seen.update(piece[:known])
                piece, known = piece[known:], max(known - len(piece), 0)
                if not known and seen.digest() != self._digest.digest():
                    raise _Another
            self._digest.update(piece)
            self._length += len(piece)
            if piece:
                yield piece
        if known:
            raise _Another

    @contextmanager
    def _counted(self, trace: Trace) -> Iterator[None]:
        """Count what comes in the block, which the head's costs do not have in them."""
        cost, came, seconds = self._cost, trace.bytes_in, trace.seconds
        try:
            yield
        finally:
            cost.bytes_in += trace.bytes_in - came
            cost.seconds += trace.seconds - seconds
            cost.slowest = max(cost.slowest, trace.seconds)
