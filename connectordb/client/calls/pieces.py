"""
`Pieces`: the body of an answer that may be larger than memory, piece by piece.

If the answer breaks off, the request is sent again, as any that reads. As many bytes as came before are skipped, provided that a
digest shows that they are the same. So the pieces always make up one whole answer.
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


#: Added to the error, as a client cannot tell this from a broken connection.
_GIVEN_UP = "; a server that has computed an answer for too long breaks it off, and says so in its log: then ask for less at once"


class _Another(Exception):
    """The new answer does not begin like the one that broke off."""


class Pieces:
    """
    The body of the answer to one request; it can be iterated once.

    Args:
        exchange: Sends the request; returns the answer's head, whose ``raw`` is the body, and the attempt.
        attempts: Makes the `Attempts` that decide after a failure.
        cost: The counters of what it costs.

    Attributes:
        encoding: The ``Content-Encoding``; known with the first piece.
        address: The address of the server that answered; known with the first piece.
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
        #: Digest and length of what came so far.
        self._digest = blake2b(digest_size=16)
        self._length = 0
        self.encoding = self.address = ""

    def __iter__(self) -> Generator[bytes, None, None]:
        """
        Yield the pieces as they were sent, that is, compressed if the answer is.

        Raises:
            ConnectorDBError: As for any call; or the answer broke off, and the server's new one does not begin in the same way.
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
                notes.add(broken, "; asked again, the server gives another answer now: start again")
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
        """Yield what the *body* has beyond the part that came before, which is compared."""
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
        """Add to the costs what the body costs, as those of the head were counted before it came."""
        cost, came, seconds = self._cost, trace.bytes_in, trace.seconds
        try:
            yield
        finally:
            cost.bytes_in += trace.bytes_in - came
            cost.seconds += trace.seconds - seconds
            cost.slowest = max(cost.slowest, trace.seconds)
