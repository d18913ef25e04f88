"""Sending a noted batch: the steps that `plan` decides on are taken here."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ...exceptions import ConnectorDBError, LoggerError, ResponseError
from ...protocol import json_text, rest
from ...protocol.paths import Path
from ...protocol.proof import Answer, judge
from ...protocol.settle import Outcome, Sent, Settling
from ...runtime.clock import Clock
from ..file import span
from ..records import Coming, Note, Row
from ..rows import Begun, Packed, Store
from . import plan
from .plan import Attempt, Batch, Step
from .reading import Reading, Server, is_ephemeral

log = logging.getLogger(__name__)

#: How many outcomes of a batch and its halves may be unknown in one pass; after that it waits for the next pass.
_UNKNOWN_AT_MOST = 3

#: How often in one pass a batch may be refused as older, because another writer keeps storing later points.
_CONFLICTS_AT_MOST = 5

#: Why points are set aside that were sent to a stream in which they cannot be looked for.
_EPHEMERAL = "outcome unknown: no answer came, and the stream is ephemeral, so that it cannot be looked at"


class Stopped(LoggerError):
    """The pass was ended by ``stop()`` or ``close()``; what it had not sent yet waits."""


@dataclass
class Report:
    """
    What a pass came to.

    Attributes:
        confirmed: Points that are on the server.
        aside: Points that were set aside.
        failed: The streams that could not be served, with the reason.
        early: The streams whose next point lies in the future, each with a sentence that says so.
        schemas_changed: Whether streams have other schemas than before.
    """

    confirmed: int = 0
    aside: int = 0
    failed: dict[str, ConnectorDBError] = field(default_factory=dict)
    early: dict[str, str] = field(default_factory=dict)
    schemas_changed: bool = False


class Context:
    """What all batches of a pass share: the file, the clocks, when to end, and the report."""

    def __init__(
        self, store: Store, clock: Clock, stopping: threading.Event, wait: float, restamp: bool = False
    ) -> None:
        self.store = store
        self.restamp = restamp
        self.report = Report()
        self.clock = clock
        self._stopping = stopping
        self._wait = wait

    @property
    def is_stopping(self) -> bool:
        """Whether the pass is to end early."""
        return self._stopping.is_set()

    def check_stopping(self) -> None:
        """End the pass if that was asked for."""
        if self.is_stopping:
            raise Stopped("the sync was ended by stop() or close(); the points wait in the file")

    def confirm(
        self, server: Server, note: Note, ids: Sequence[int], count: int, then: Coming | None = None
    ) -> Begun | None:
        """
        Take off the rows *ids* of *note*, which the server has, or hold them if it may still forget them; drop the note.

        The batch that comes *then* is noted in the same transaction, and returned: that saves every second flush of the disk.

        Args:
            server: Where they are.
            note: The note on them.
            ids: Their ids, in order; a range may have gaps in the file.
            count: How many they are.
            then: The batch to be noted next, if any.
        """
        if server.features.durable or not self._begin_the_stream(note.stream, ids):
            begun = self.store.notes.resolve(note.stream, ids, now=self.clock.wall(), then=then)
        else:
            begun = self.store.held.hold(note, ids[-1], self.clock.wall(), then)
        self.report.confirmed += count
        return begun

    def _begin_the_stream(self, stream: int, ids: Sequence[int]) -> bool:
        """Tell whether the rows *ids* are the oldest that wait: holding them makes all rows up to the last count as confirmed."""
        if not ids:
            return False
        # a range means every row between two ids, so only what is before it matters
        end = ids[0] - 1 if isinstance(ids, range) else ids[-1]
        rows = self.store.points.rows(self.store.held.first_waiting(stream), end, len(ids) + 1, 2**62)
        return {row.id for row in rows} <= set(ids)

    def set_aside(self, note: Note, ids: Sequence[int], reason: str, keep: bool = False) -> None:
        """Set rows aside, and drop the note, unless it is to be kept."""
        self.store.notes.resolve(note.stream, (), ids, reason, self.clock.wall(), note if keep else None)
        self.report.aside += len(ids)
        log.warning("%d points set aside: %s", len(ids), reason)
        self.store.aside.tell(ids)

    def wait(self, server: Server, path: Path) -> None:
        """Wait until whatever was sent to *server* on connections that are closed by now has arrived, or never will."""
        # it has to answer first: while it is away, waiting proves nothing
        try:
            server.call(rest.length(path))
        except ResponseError as error:
            if not error.ref:  # that was a proxy, not the server
                raise
        log.info("waiting %g s for a late copy of what was sent to %s", self._wait, path)
        if self.clock.wait(self._stopping, self._wait):
            self.check_stopping()


class Follower(Protocol):
    """Says which batch comes next."""

    def behind(self, packed: Packed, seconds: float) -> Coming | None:
        """Return the batch to be noted next, after one that was stored as it was sent, within *seconds*."""


class Sending:
    """
    Brings one noted batch to the server, by the steps of `plan`.

    Args:
        context: What all batches of the pass share.
        server: Where it goes.
        path: The stream there.
        note: The note on it.
        packed: Its rows.
        again: Whether it may be sent again; it may not if other points have to go first.
        follower: Says which batch comes next, if that is to be noted as this one is taken off.

    Attributes:
        begun: The next batch, if it was noted as this one was taken off.
    """

    def __init__(
        self,
        context: Context,
        server: Server,
        path: Path,
        note: Note,
        packed: Packed,
        again: bool = True,
        follower: Follower | None = None,
    ) -> None:
        self._context, self._server, self._path = context, server, path
        self._note, self._packed = note, packed
        self._again = again
        self._follower = follower
        self.begun: Begun | None = None
        self._store = context.store
        self._error: ConnectorDBError | None = None
        self._unknown = self._conflicts = 0  # how often sending it had an unknown outcome, or was refused as older
        # what the last reading told: the time of the newest point, the ids that were found, and whether the point that stood
        # before the batch is still there
        self._newest = 0.0
        self._found: list[int] = []
        self._anchored = True

    @property
    def batch(self) -> Batch:
        """What `plan` needs to know of it."""
        return Batch(self._packed.count, self._packed.begins)

    @property
    def keyed(self) -> bool:
        """Whether the server knows the batch by its key."""
        return self._note.key is not None and self._server.features.idempotency is not None

    def run(self, step: Step, attempt: Attempt) -> bool:
        """
        Take steps until the batch is settled; tell whether it was sent and confirmed whole, as it was.

        Raises:
            ConnectorDBError: It cannot be settled now; the note stays, unless nothing of it can be on its way.
        """
        whole = step is Step.SEND
        began = self._context.clock.monotonic()
        while True:
            if step in (Step.SEND, Step.READ):  # only before these: what has been found out is written down in any case
                self._context.check_stopping()
            if step is Step.SEND:
                step, attempt = self._sent(attempt)
                whole = whole and step is Step.CONFIRM
            elif step is Step.READ:
                any_found = self._look()
                if not any_found and not self._newest and is_ephemeral(self._server, self._path):
                    ids = [row.id for row in self._rows(self._note.last)]
                    self._context.set_aside(self._note, ids, _EPHEMERAL)
                    return False
                step, attempt = self._looked(attempt, any_found)
            elif step is Step.WAIT:
                self._context.wait(self._server, self._path)
                step, attempt = plan.waited(attempt)
            elif step in (Step.MOVE, Step.HALVE, Step.RESTAMP):
                if not self._change(step, attempt.doubted):  # cleardata() was called meanwhile
                    self._store.notes.resolve(self._note.stream)
                    return False
                step, attempt = Step.SEND, replace(attempt, keyed=self.keyed)
            elif step is Step.CONFIRM:
                then = None
                if whole and self._follower is not None:
                    then = self._follower.behind(self._packed, self._context.clock.monotonic() - began)
                self._confirm(then)
                return whole
            else:
                self._end(step)
                return False

    def _sent(self, attempt: Attempt) -> tuple[Step, Attempt]:
        """Send the batch, and return how to go on."""
        if self._unknown == _UNKNOWN_AT_MOST and self._error is not None:
            raise self._error
        if self._note.key is not None and not self.keyed:
            self._forget_key()
        answer = judge(self._send())
        if answer is Answer.UNKNOWN:
            self._note = replace(self._note, attempts=self._note.attempts + 1)
            self._store.notes.write(self._note)
            self._unknown += 1
        if answer is Answer.KEYLESS:
            self._forget_key()
        step, attempt = plan.answered(self.batch, attempt, answer)
        self._conflicts += answer is Answer.OLDER
        if self._conflicts > _CONFLICTS_AT_MOST:
            step = Step.STOP if attempt.doubted else Step.LEAVE
        return step, attempt

    def _looked(self, attempt: Attempt, any_found: bool) -> tuple[Step, Attempt]:
        """Return how to go on after the stream was read."""
        attempt = replace(attempt, keyed=self.keyed)  # what the server says now is what counts
        step, attempt = plan.looked(self.batch, attempt, any_found, self._newest, self._context.restamp)
        if step is not Step.FOUND and not (self._again and self._follows()):
            step = Step.WAIT if attempt.tried else Step.LEAVE
        return step, attempt

    def _send(self) -> ConnectorDBError | None:
        request = rest.insert_text(
            self._path, self._packed.text.encode(), self._packed.count, key=self._note.key if self.keyed else None
        )
        try:
            self._server.call(request)
        except ConnectorDBError as error:
            log.debug("insert of %d points into %s: %s", self._packed.count, self._path, error)
            self._error = error
            return error
        return None

    def _forget_key(self) -> None:
        """Note that a copy is sent without the key: whoever finds the note must not rely on it."""
        self._note = replace(self._note, key=None)
        self._store.notes.write(self._note)

    def _look(self) -> bool:
        # rows that were split off since then may be there as well, if a copy of the whole batch arrived
        times = self._store.notes.sent_times(self._note.first, span(self._note.stream)[1])
        rows = self._rows(max(self._note.last, max(times, default=0)))
        sent_points = [Sent((*times.get(row.id, ()), row.t), value(row)) for row in rows]
        settling = Settling(sent_points)
        self._newest = 0.0
        reading = Reading(
            self._server, self._path, self._note, min((min(sent.times) for sent in sent_points), default=0.0)
        )
        for points in reading:
            # a point that cannot be read has no known time
            self._newest = next((point["t"] for point in reversed(points) if not math.isnan(point["t"])), self._newest)
            settling.look(points)
            if settling.complete:
                break
        self._anchored = reading.anchored
        result = settling.result()
        self._found = [rows[at].id for at in result.found]
        return result.outcome is not Outcome.NOT_STORED

    def _rows(self, last: int) -> list[Row]:
        return self._store.points.rows(self._note.first, last, 2**62, 2**62)

    def _change(self, step: Step, doubted: bool) -> bool:
        """Note another batch in place of this one: half of it, or with other times. Tell whether any of its rows are left."""
        count = self._packed.count
        if step is Step.HALVE:
            count //= 2
            half = self._store.points.packed(self._note.first, self._note.last, count)
            if half is None:
                return False
            if doubted:
                self._store.notes.keep_times(half.last + 1, self._note.last)
            self._note = replace(self._note, last=half.last)
        self._note = replace(self._note, attempts=0, key=new_key(self._server))
        if step is Step.RESTAMP:
            self._store.notes.restamp(self._note, self._newest)
        elif count == 1:
            self._store.notes.move(self._note)
        else:
            self._store.notes.write(self._note)
        packed = self._store.points.packed(self._note.first, self._note.last, count)
        self._packed = packed or self._packed
        return packed is not None

    def _follows(self) -> bool:
        """
        Tell whether the batch may be sent again at once.

        It may not if the server lost what it had confirmed before: that has to go first.
        """
        return self._anchored or not self._store.held.of(self._note.stream)

    @property
    def _all_of_it(self) -> range:
        return range(self._note.first, self._note.last + 1)

    def _confirm(self, then: Coming | None) -> None:
        self.begun = self._context.confirm(self._server, self._note, self._all_of_it, self._packed.count, then)

    def _end(self, step: Step) -> None:
        if step is Step.FOUND:
            self._context.confirm(self._server, self._note, self._found, len(self._found))
        elif step is Step.SET_ASIDE:
            self._context.set_aside(self._note, self._all_of_it, f"refused by the server: {self._message()}")
        elif step is Step.TOO_OLD:
            old = [row.id for row in self._rows(self._note.last) if row.t < self._newest]
            self._context.set_aside(self._note, old, too_old(self._newest))
        else:
            if step is Step.LEAVE:
                self._store.notes.resolve(self._note.stream)
            if self._error is not None:
                raise self._error

    def _message(self) -> str:
        return self._error.message if isinstance(self._error, ResponseError) else str(self._error)


def new_key(server: Server) -> str | None:
    """Return an idempotency key for a batch, if *server* knows such keys."""
    return None if server.features.idempotency is None else uuid.uuid4().hex


def too_old(newest: float) -> str:
    """Return the reason with which points older than *newest* are set aside."""
    return (
        f"older than {newest!r}, the time of the newest point in the stream: another writer was faster, or the server lost "
        "what it had confirmed"
    )


def value(row: Row) -> object:
    """Return a row's value; if it is not JSON, something that no server holds."""
    try:
        return json_text.loads(row.d)
    except ValueError:
        return ["not JSON", row.d]
