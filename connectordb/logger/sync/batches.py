"""
The batches of a stream, one after the other: which rows go next, how many, and where in the stream on the server they will stand.

The server is asked for its stream's end only before the first batch. After a batch was stored whole, that end is known: it is the one
noted for the batch, and the batch itself.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field

from ...protocol.constants import INSERT_BYTES_LIMIT
from ...protocol.paths import Path
from ..records import Coming, Note, StreamRow
from ..rows import Begun, Corrections, Packed
from . import plan
from .last_second import Seen
from .reading import Server, end_of
from .sending import Context, new_key

log = logging.getLogger(__name__)


@dataclass
class Memory:
    """
    What this process remembers from one pass to the next.

    Attributes:
        size: The rows of the next batch, by the rate at which the last one went.
        seen: When held batches were first seen.
        queued: How many writes of this process had had to wait for another, when that was last looked at.
        inserting: Until when the program is taken to insert, in monotonic seconds.
        resting: Refused streams → until when they are left alone, in monotonic seconds.
    """

    size: int = plan.FIRST_BATCH
    seen: Seen = field(default_factory=dict)
    queued: int = 0
    inserting: float = -math.inf
    resting: dict[int, float] = field(default_factory=dict)


class Batches:
    """
    The batches of one stream in one pass.

    Args:
        context: What all batches of the pass share.
        server: Where they go.
        stream: The stream.
        path: Its path on the server.
        upto: The id of the last row that goes in this pass.
        corrections: What puts the times of the rows right.
        memory: What this process remembers from one pass to the next.
    """

    def __init__(
        self,
        context: Context,
        server: Server,
        stream: StreamRow,
        path: Path,
        upto: int,
        corrections: Corrections,
        memory: Memory,
    ) -> None:
        self._context, self._store = context, context.store
        self._server, self._stream, self._path, self._upto = server, stream, path, upto
        self._corrections, self._memory = corrections, memory
        #: Where the next batch will begin: the stream's length on the server, and the time of its last point.
        self._end: tuple[int, float | None] = 0, None
        self._since: float | None = None  # when the last batch was noted, in monotonic seconds
        self._beside = 0  # how many batches went while the program inserted

    def begin(self) -> Begun | None:
        """Note the first batch, if there are rows that may be sent now."""
        first = self._store.held.first_waiting(self._stream.id)
        if not self._store.points.rows(first, self._upto, 1, 0):
            return None
        self._context.check_stopping()
        self._end = end_of(self._server, self._path)
        coming = self._coming(first)
        # the rows may have been dropped meanwhile, or sorted in behind an earlier point
        return None if coming is None else self._store.notes.begin(coming)

    def behind(self, packed: Packed, seconds: float) -> Coming | None:
        """Return the batch to be noted next, after one that was stored as it was sent, within *seconds*."""
        self._memory.size = plan.shape(self._memory.size, packed.count, seconds)
        self._end = self._end[0] + packed.count, packed.ends
        return self._coming(packed.last + 1) if packed.last < self._upto else None

    def missed(self, packed: Packed) -> None:
        """Remember that a batch did not get through as it was."""
        self._memory.size = plan.shape(self._memory.size, packed.count, None)

    def _coming(self, first: int) -> Coming | None:
        """
        Return the batch that begins with the row *first*, or behind it, if that may be sent now.

        To be called after an answer of the server, which tells the time and whether it knows keys.
        """
        due = self._due(first)
        if due < first:
            return None
        address, key = self._server.address, self._server.apikey
        note = Note(self._stream.id, first, due, address, key, str(self._path), *self._end, key=new_key(self._server))
        return Coming(note, self._rows(), INSERT_BYTES_LIMIT, at_least=2)

    def _rows(self) -> int:
        """Return how many rows the next batch takes."""
        memory, now = self._memory, self._context.clock.monotonic()
        if memory.queued != self._store.queued:
            memory.queued, memory.inserting = self._store.queued, now + plan.INSERTING
        since, self._since = self._since, now
        inserting = now < memory.inserting
        self._beside += inserting
        if inserting and self._beside % plan.WRITTEN_BACK == 0:
            self._store.write_log_back()
        return plan.beside(memory.size, None if since is None else now - since, inserting)

    def _due(self, first: int) -> int:
        """Put the times of the next rows right, and return the id up to which they may be sent now."""
        stream, report = self._stream, self._context.report
        ready = self._corrections.ready(stream.id, first, self._upto)
        for reason, ids in ready.aside.items():
            report.aside += len(ids)
            log.warning("%d points of %s set aside: %s", len(ids), stream.name, reason)
            self._store.aside.tell(ids)
        if ready.waits:
            report.early[stream.name] = ready.waits
            log.info("points of %s wait: %s", stream.name, ready.waits)
        return ready.upto
