"""Looking, over REST, whether streams exist and are readable: several at a time, on a few threads."""

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

#: How many streams are looked at at the same time.
_LOOKERS = 4


W = TypeVar("W")


class Asker(Protocol[W]):
    """Whoever asks for looks; its methods are called on the threads that look."""

    def wanting(self, key: Key, epoch: int) -> Sequence[W]:
        """Return who wants a look that was asked for in that epoch; nobody, if it is no longer of use."""

    def was_seen(self, key: Key, epoch: int, seen: Seen, wanting: Sequence[W]) -> None:
        """Take what was seen, and who wanted it; for whoever came since, it may be out of date."""

    def could_not_be_seen(self, key: Key, epoch: int, error: ConnectorDBError) -> None:
        """Take why nothing was seen."""


class Looking(Generic[W]):
    """
    The threads that look at streams.

    Args:
        look: Looks at a stream; raises if it does not exist, or is not readable.
        asker: Told what was seen.
    """

    def __init__(self, look: Callable[[Key], Seen], asker: Asker[W]) -> None:
        self._look = look
        self._asker = asker
        self._pool = Pool("lookers", _LOOKERS)

    def look(self, key: Key, epoch: int) -> None:
        """Look at the stream of *key*, on a thread, for an *epoch* of the asker."""
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
