"""
One pass over the file: plan, send, confirm. What to do next is decided in `plan`; here it is done.

A batch is noted before it is sent, and taken off, by id, in the transaction that drops the note. A pass sends what was in
the file when it began; of that it holds one batch in memory. A server that is away ends the pass; what concerns a single
stream (denied, not there) leaves that stream's points where they are and is told at the end.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from ..exceptions import ConnectorDBError, OutcomeUnknown, ProtocolError, ResponseError
from ..protocol import ranges, rest
from ..protocol.constants import DATAPOINT_INSERT_LIMIT, INSERT_BYTES_LIMIT
from ..protocol.paths import Path
from ..protocol.settle import Sent, Settling
from ..runtime.clock import Clock
from . import plan
from .plan import Attempt, Step
from .reading import Server, end_of, newest_time
from .records import Note, Row, StreamRow
from .sending import Context, Report, Sending, too_old, value
from .store import Store
from .streams import bring_to_server
from .streams import device as device_of

log = logging.getLogger(__name__)


class Pass:
    """
    One pass.

    Args:
        store: The file.
        server: Where the points go.
        elsewhere: Makes a connection to another server, or with another key: that of a note.
        clock: The clocks.
        stopping: Set when the pass is to end early.
        wait: Seconds, as `plan.WAIT`.
    """

    def __init__(
        self,
        store: Store,
        server: Server,
        elsewhere: Callable[[str, str], Server],
        clock: Clock,
        stopping: threading.Event,
        wait: float = plan.WAIT,
    ) -> None:
        self._store = store
        self._server = server
        self._elsewhere = elsewhere
        self._context = Context(store, clock, stopping, wait)

    def run(self, upto: Mapping[int, int]) -> Report:
        """
        Send what waits, of each stream up to the id in *upto*.

        Raises:
            ConnectorDBError: The server is away, or refuses the key.
        """
        noted = set(self._store.notes.streams())
        streams = [stream for stream in self._store.catalogue.streams() if stream.id in upto or stream.id in noted]
        if not streams:
            return self._context.report
        device = device_of(self._server)
        for stream in streams:
            self._context.check_stopping()
            try:
                self._serve(stream, device / stream.name, upto.get(stream.id, 0))
            except (ResponseError, OutcomeUnknown, ProtocolError) as error:
                if isinstance(error, ResponseError) and error.status == 401:
                    raise
                self._context.report.failed[stream.name] = error
                log.warning("points of %s wait: %s", stream.name, error)
        return self._context.report

    # --- a stream -------------------------------------------------------------------------------------------------------

    def _serve(self, stream: StreamRow, path: Path, upto: int) -> None:
        note = self._store.notes.of(stream.id)
        if note is not None:
            self._settle_note(stream, path, note)
        if stream.declared:
            self._context.report.schemas_changed |= bring_to_server(self._store, self._server, stream, path)
        size, end, first = DATAPOINT_INSERT_LIMIT, None, stream.id << 40
        while self._store.points.rows(first, upto, 1, 0):
            self._context.check_stopping()
            if end is None:
                end = end_of(self._server, path)
            span = Note(stream.id, first, upto, self._server.address, self._server.apikey, str(path), *end)
            note, rows = self._store.notes.begin(span, size, INSERT_BYTES_LIMIT, at_least=2)
            if not rows:  # dropped meanwhile, or put behind an earlier point
                break
            sent_whole = Sending(self._context, self._server, path, note, rows).run(Step.SEND, Attempt())
            # what was confirmed lies behind the length that was noted: so does whatever is sent next
            end = (end[0] + len(rows), rows[-1].t) if sent_whole else None
            size = plan.shape(size, refused=not sent_whole)

    def _settle_note(self, stream: StreamRow, path: Path, note: Note) -> None:
        """Find out what became of a batch of an earlier pass, or of an earlier process, where it was sent."""
        servers: list[Server] = [self._server] if note.server == self._server.address else []
        if not servers or note.apikey not in ("", self._server.apikey):
            servers.append(self._elsewhere(note.server, note.apikey))
        here = note.server == self._server.address and note.path in ("", str(path))
        sent_to = Path.parse(note.path) if note.path else path
        refusal: ConnectorDBError | None = None
        for server in servers:
            try:
                if note.length is None:
                    self._settle_by_time(server, sent_to, note)
                else:
                    rows = self._store.points.rows(note.first, note.last, 2 * DATAPOINT_INSERT_LIMIT, 2**62)
                    if not rows:
                        self._store.notes.resolve(note.stream)
                        return
                    sending = Sending(self._context, server, sent_to, note, rows, again=here)
                    sending.run(*plan.found(sending.batch, note.attempts))
                return
            except ResponseError as error:
                if not plan.is_final(error):
                    raise
                refusal = error
        assert refusal is not None
        if here:
            raise refusal
        reason = f"outcome unknown: it was sent to {note.path or path} on {note.server}, which now says: {refusal}"
        self._context.set_aside(
            note, [row.id for row in self._store.points.rows(note.first, note.last, 2**62, 2**62)], reason
        )

    def _settle_by_time(self, server: Server, path: Path, note: Note) -> None:
        """Look for rows of which is known only that they may have been sent, slice by slice, from the oldest on."""
        newest = newest_time(server, path)
        while rows := self._slice(note):
            self._context.check_stopping()
            if rows[0].t > newest:
                break
            span = ranges.range_fields(now=0.0, t1=math.nextafter(rows[0].t, -math.inf), t2=rows[-1].t)
            settling = Settling([Sent((row.t,), value(row)) for row in rows])
            held = server.call(rest.points(path, ranges.read_parameters(span)))
            settling.look(held)
            found = set(settling.result().found)
            confirmed = [row.id for at, row in enumerate(rows) if at in found]
            old = [row.id for at, row in enumerate(rows) if at not in found and row.t < newest]
            note = replace(note, first=rows[-1].id + 1)
            self._store.notes.resolve(note.stream, confirmed, note=note)
            self._context.report.confirmed += len(confirmed)
            if old:
                self._context.set_aside(note, old, too_old(newest), keep=True)
        # those that share a time would be stored twice if a batch of them alone were sent twice
        self._store.points.spread(note.stream)
        self._store.notes.resolve(note.stream)

    def _slice(self, note: Note) -> list[Row]:
        """Return the first rows of a note, and all that have the last one's time."""
        limit = DATAPOINT_INSERT_LIMIT
        while True:
            rows = self._store.points.rows(note.first, note.last, limit + 1, 2**62)
            if len(rows) <= limit:
                return rows
            whole = [row for row in rows if row.t < rows[-1].t]
            if whole:
                return whole
            limit *= 2
