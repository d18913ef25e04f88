"""
The batches of a stream, one after the other: which rows go next, how many, and behind what they stand on the server.

Only the first one asks for that: behind a batch that was stored whole stands what was noted before it, and the batch.
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
    What the passes of a process remember, one after the other.

    Attributes:
        size: The rows of the next batch, by the rate at which the last one went.
        seen: When held batches were first seen.
        queued: Writes that had to wait for another, when that was last looked at.
        inserting: Until when somebody is taken to insert, in monotonic seconds.
        resting: Streams that were refused, and until when they are left alone, in monotonic seconds.
    """

    size: int = plan.FIRST_BATCH
    seen: Seen = field(default_factory=dict)
    queued: int = 0
    inserting: float = -math.inf
    resting: dict[int, float] = field(default_factory=dict)


class Batches:
    """
    The batches of a stream, as a pass sends them.

    Args:
        context: What all batches of the pass share.
        server: Where they go.
        stream: Whose they are.
        path: Its path there.
        upto: The id of the last row that goes in this pass.
        corrections: What puts their times right.
        memory: That of the process.
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
        #: What a batch that is noted now stands behind: the stream's length, and the time of the point before that.
        self._end: tuple[int, float | None] = 0, None
        self._since: float | None = None  # the batch before, in monotonic seconds
        self._beside = 0  # batches that went beside inserts

    def begin(self) -> Begun | None:
        """Note the first rows that wait, if there are any that may be sent now."""
        first = self._store.held.first_waiting(self._stream.id)
        if not self._store.points.rows(first, self._upto, 1, 0):
            return None
        self._context.check_stopping()
        self._end = end_of(self._server, self._path)
        coming = self._coming(first)
        # they may have been dropped meanwhile, or put behind an earlier point
        return None if coming is None else self._store.notes.begin(coming)

    def behind(self, packed: Packed, seconds: float) -> Coming | None:
        """Return what is to be noted behind a batch that was stored as it was sent, after so many *seconds*."""
        self._memory.size = plan.shape(self._memory.size, packed.count, seconds)
        self._end = self._end[0] + packed.count, packed.ends
        return self._coming(packed.last + 1) if packed.last < self._upto else None

    def missed(self, packed: Packed) -> None:
        """Take note that a batch did not get there as it was."""
        self._memory.size = plan.shape(self._memory.size, packed.count, None)

    def _coming(self, first: int) -> Coming | None:
        """Return the batch that begins with a row, or behind it, if that may be sent now; after an answer of the server."""
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
        """Have the times of the next rows put right, and return up to which of them they may be sent now."""
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
