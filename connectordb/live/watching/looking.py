"""Looking, over REST, whether streams are there and readable: on a few threads of its own, several at the same time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

from ...exceptions import ConnectionFailed, ConnectorDBError
from ...runtime.clock import Deadline
from ..dispatch import Pool
from ..following import Seen
from .subscriptions import Key

log = logging.getLogger(__name__)

#: Streams that are looked at at the same time.
_LOOKERS = 4


W = TypeVar("W")


class Asker(Protocol[W]):
    """Who asks, on behalf of others; called on threads of the looking."""

    def wanting(self, key: Key, epoch: int) -> Sequence[W]:
        """Return who wants a look that was asked for in that epoch; nobody, if it is of no use any more."""

    def was_seen(self, key: Key, epoch: int, seen: Seen, wanting: Sequence[W]) -> None:
        """Take what was seen, and for whom it was looked: to others, who came later, it may be too old."""

    def could_not_be_seen(self, key: Key, epoch: int, error: ConnectorDBError) -> None:
        """Take why nothing was."""


class Looking(Generic[W]):
    """
    See above.

    Args:
        look: Returns what is seen of a stream; raises if it is not there, or not readable.
        asker: Is told.
    """

    def __init__(self, look: Callable[[Key], Seen], asker: Asker[W]) -> None:
        self._look = look
        self._asker = asker
        self._pool = Pool("lookers", _LOOKERS)

    def look(self, key: Key, epoch: int) -> None:
        """Have the stream of *key* looked at, for an *epoch* of the asker's."""
        self._pool.lane().put(partial(self._look_at, key, epoch))

    def close(self, deadline: Deadline) -> None:
        """End the threads."""
        if not self._pool.close(deadline):
            log.warning("closing: a request about a stream is still waiting for its answer; it ends by itself")

    def _look_at(self, key: Key, epoch: int) -> None:
        wanting = self._asker.wanting(key, epoch)
        if not wanting:
            return
        try:
            seen = self._look(key)
        except ConnectorDBError as error:
            self._asker.could_not_be_seen(key, epoch, error)
        except Exception as error:
            log.exception("live: looking at %s failed; this is a bug", key[0])
            failed = ConnectionFailed(f"looking at {key[0]!r} failed: {error!r}")
            self._asker.could_not_be_seen(key, epoch, failed)
        else:
            self._asker.was_seen(key, epoch, seen, wanting)
