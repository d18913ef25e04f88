"""
One pass over the file: settle what is in doubt, then send batch after batch. `plan` decides what to do next; here it is done.

A batch is noted before it is sent. Its rows are taken off in the same transaction that drops the note, or replaces it with the
next one. A pass sends what was in the file when it began, and holds one batch of that in memory. If the server is away, the pass
ends. If a single stream is denied or missing, its points stay where they are, and the error is reported at the end.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from ...exceptions import ConnectionFailed, ConnectorDBError, LoggerError, OutcomeUnknown, ProtocolError, ResponseError
from ...protocol import rest
from ...protocol.constants import DATAPOINT_INSERT_LIMIT
from ...protocol.paths import Path
from ...protocol.ranges import read_parameters
from ...protocol.settle import Sent, Settling
from ...runtime.clock import Clock
from ..records import Note, Row, StreamRow
from ..rows import Store
from . import plan
from .batches import Batches, Memory
from .last_second import LastSecond
from .plan import Attempt, Step
from .reading import Server, newest_time
from .sending import Context, Report, Sending, Stopped, too_old, value
from .streams import bring_to_server
from .streams import device as device_of

log = logging.getLogger(__name__)

#: Seconds until the background tries again what will most likely be refused again: a wrong key, a stream that is gone.
RARELY = 600.0


class Pass:
    """
    One pass over the file.

    Args:
        store: The file.
        server: Where the points go.
        elsewhere: Returns a connection to another server, or with another key: those that a note names.
        clock: The clocks.
        stopping: Set when the pass is to end early.
        wait: Seconds to wait for a late copy, as `plan.WAIT`.
        restamp: Whether points that are older than what a stream holds get later times; otherwise they are set aside.
        memory: What this process remembers from one pass to the next.
    """

    def __init__(
        self,
        store: Store,
        server: Server,
        elsewhere: Callable[[str, str], Server],
        clock: Clock,
        stopping: threading.Event,
        wait: float = plan.WAIT,
        restamp: bool = False,
        memory: Memory | None = None,
    ) -> None:
        self._store = store
        self._server = server
        self._elsewhere = elsewhere
        self._clock = clock
        self._memory = memory or Memory()
        self._waited: set[str] = set()  # servers for which nothing sent before this pass can still be on its way
        self._context = Context(store, clock, stopping, wait, restamp)
        self._last_second = LastSecond(store, clock, elsewhere, self._context.wait, self._memory.seen)
        self._corrections = store.corrections(clock, server.time, restamp)

    def run(self, upto: Mapping[int, int], patient: bool = False) -> Report:
        """
        Send what waits.

        Args:
            upto: Stream → the id of the last row to send.
            patient: Leave alone the streams that were refused not long ago.

        Raises:
            ConnectorDBError: The server is away, or refuses the key.
        """
        pending = {*upto, *self._store.notes.streams(), *self._store.held.streams()}
        streams = [stream for stream in self._store.catalogue.streams() if stream.id in pending]
        if patient:
            now = self._clock.monotonic()
            streams = [stream for stream in streams if self._memory.resting.get(stream.id, now) <= now]
        if not streams:
            return self._context.report
        device = device_of(self._server)
        self._store.make_room()
        self._store.outcomes.reached(self._server.features)
        for stream in streams:
            self._context.check_stopping()
            try:
                self._serve(stream, device / stream.name, upto.get(stream.id, 0))
                self._memory.resting.pop(stream.id, None)
                early = self._context.report.early.get(stream.name)
                if early is None:
                    self._store.outcomes.stream_succeeded(stream.id)
                else:
                    self._store.outcomes.stream_failed(stream.id, LoggerError(early), self._clock.wall())
            except Stopped:
                raise
            except (ResponseError, OutcomeUnknown, ProtocolError, LoggerError) as error:
                if isinstance(error, ResponseError) and error.status == 401:
                    raise
                if isinstance(error, LoggerError) or (isinstance(error, ResponseError) and plan.is_final(error)):
                    self._memory.resting[stream.id] = self._clock.monotonic() + RARELY
                self._context.report.failed[stream.name] = error
                self._store.outcomes.stream_failed(stream.id, error, self._clock.wall())
                log.warning("points of %s wait: %s", stream.name, error)
        return self._context.report

    # --- one stream -----------------------------------------------------------------------------------------------------

    def _serve(self, stream: StreamRow, path: Path, upto: int) -> None:
        lost = self._last_second.check(stream.id, self._server)
        note = self._store.notes.of(stream.id)
        if note is not None:
            self._settle_note(path, note, in_order=not lost)
        if stream.declared:
            self._context.report.schemas_changed |= bring_to_server(self._store, self._server, stream, path)
        self._send_all(stream, path, upto)
        self._last_second.see(stream.id)

    def _send_all(self, stream: StreamRow, path: Path, upto: int) -> None:
        """Send batch after batch; each is noted in the transaction that takes the one before off."""
        batches = Batches(self._context, self._server, stream, path, upto, self._corrections, self._memory)
        begun = batches.begin()
        while begun is not None:
            if self._context.is_stopping:  # nothing of this batch was sent, so no doubt needs to be kept
                self._store.notes.resolve(stream.id)
                self._context.check_stopping()
            sending = Sending(self._context, self._server, path, *begun, follower=batches)
            if sending.run(Step.SEND, Attempt(keyed=sending.keyed)):
                begun = sending.begun
            else:
                batches.missed(begun[1])
                self._last_second.check(stream.id, self._server)
                begun = batches.begin()

    def _settle_note(self, path: Path, note: Note, in_order: bool) -> None:
        """
        Find out what became of a batch that an earlier pass or process sent, by asking the server that it was sent to.

        If the server does not have it, it is sent again at once, but only *in_order*: if no other points have to go before it.
        """
        # a file that was mended may have notes without a server, key or path: then it can only be ours
        at_ours = note.server in ("", self._server.address)
        here = at_ours and note.path in ("", str(path))
        sent_to = Path.parse(note.path) if note.path else path
        refusal: ConnectorDBError | None = None
        for server in self._servers(note, at_ours):
            try:
                self._settle_at(server, sent_to, note, again=here and in_order)
                return
            except ResponseError as error:
                if not plan.is_final(error):
                    raise
                refusal = error
            except OutcomeUnknown:
                raise
            except ConnectionFailed as error:
                if server is self._server:
                    raise
                raise LoggerError(
                    f"points may have arrived at {note.server}, where they were sent and which cannot be asked now; until then "
                    f"this stream waits ({error}); if that server is gone for good, call set_aside_unsettled() or run "
                    "'connectordb log FILE set-aside-unsettled'"
                ) from error
        assert refusal is not None
        if here:
            raise refusal
        where = f"{note.path or path} on {note.server or self._server.address}"
        self._set_all_aside(note, f"outcome unknown: it was sent to {where}, which now says: {refusal}")

    def _servers(self, note: Note, at_ours: bool) -> list[Server]:
        """Return how to ask the server of *note*: with our key, if it is our server, and with the key that the note has."""
        servers: list[Server] = [self._server] if at_ours else []
        if not servers or note.apikey not in ("", self._server.apikey):
            servers.append(self._elsewhere(note.server, note.apikey))
        return servers

    def _settle_at(self, server: Server, path: Path, note: Note, again: bool) -> None:
        """Find out from *server* what became of the batch of *note*; *again* as in `Sending`."""
        if note.length is None:
            self._settle_by_time(server, path, note)
            return
        packed = self._store.points.packed(note.first, note.last, 2 * DATAPOINT_INSERT_LIMIT)
        if packed is None:  # its rows were dropped meanwhile
            self._store.notes.resolve(note.stream)
            return
        sending = Sending(self._context, server, path, note, packed, again=again)
        sending.run(*plan.found(sending.batch, note.attempts, sending.keyed))

    def _set_all_aside(self, note: Note, reason: str) -> None:
        """Set the rows of *note* aside, some at a time, and drop it."""
        while rows := self._store.points.rows(note.first, note.last, DATAPOINT_INSERT_LIMIT, 2**62):
            note = replace(note, first=rows[-1].id + 1)
            self._context.set_aside(note, [row.id for row in rows], reason, keep=True)
        self._store.notes.resolve(note.stream)

    def _settle_by_time(self, server: Server, path: Path, note: Note) -> None:
        """Settle a note that does not say where in the stream its rows would be: look for them by time, slice by slice."""
        if server.address not in self._waited:  # whoever sent them may have been killed a moment ago
            self._context.wait(server, path)
            self._waited.add(server.address)
        newest = newest_time(server, path)
        while rows := self._slice(note):
            self._context.check_stopping()
            times = self._store.notes.sent_times(rows[0].id, rows[-1].id)
            first = min([rows[0].t, *(t for earlier in times.values() for t in earlier)])
            if first > newest:
                break
            span = read_parameters({"t1": math.nextafter(first, -math.inf), "t2": rows[-1].t})
            settling = Settling([Sent((*times.get(row.id, ()), row.t), value(row)) for row in rows])
            held = server.call(rest.points(path, span))
            settling.look(held)
            found = set(settling.result().found)
            confirmed = [row.id for at, row in enumerate(rows) if at in found]
            old = [row.id for at, row in enumerate(rows) if at not in found and row.t < newest]
            note = replace(note, first=rows[-1].id + 1)
            self._store.notes.resolve(note.stream, confirmed, now=self._clock.wall(), note=note)
            self._context.report.confirmed += len(confirmed)
            if old:
                self._context.set_aside(note, old, too_old(newest), keep=True)
        # a batch in which all points share one time would be stored twice if it were sent twice
        self._store.points.spread(note.stream)
        self._store.notes.resolve(note.stream)

    def _slice(self, note: Note) -> list[Row]:
        """Return the first rows of a note; of rows that share a time, all or none."""
        limit = DATAPOINT_INSERT_LIMIT
        while True:
            rows = self._store.points.rows(note.first, note.last, limit + 1, 2**62)
            if len(rows) <= limit:
                return rows
            whole = [row for row in rows if row.t < rows[-1].t]
            if whole:
                return whole
            limit *= 2
