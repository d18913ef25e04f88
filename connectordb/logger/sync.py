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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from ..exceptions import ConnectorDBError, LoggerError, NotFound, OutcomeUnknown, ResponseError
from ..protocol import json_text, ranges, rest, schemas
from ..protocol.constants import DATAPOINT_INSERT_LIMIT, INSERT_BYTES_LIMIT
from ..protocol.feed import Datapoint
from ..protocol.paths import Path
from ..protocol.settle import Outcome, Sent, Settling
from ..runtime.clock import Clock
from . import plan
from .plan import Attempt, Batch, Step
from .store import Note, Row, Store, StreamRow

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Outcomes of one batch and its halves that may be unknown in one pass; after that it waits for the next.
_UNKNOWN_AT_MOST = 3


class Server(Protocol):
    """A server, and a key for it."""

    @property
    def address(self) -> str:
        """Its URL."""

    @property
    def apikey(self) -> str:
        """The key."""

    def call(self, request: rest.Request[T]) -> T:
        """Send a request, an insert once at most, and return what the answer says."""


class Stopped(LoggerError):
    """The pass was ended by ``stop()`` or ``close()``; what it was about to do waits."""


@dataclass
class Report:
    """What a pass came to: points confirmed and set aside, and the streams that could not be served, with the reason."""

    confirmed: int = 0
    aside: int = 0
    failed: dict[str, ConnectorDBError] = field(default_factory=dict)
    schemas_changed: bool = False


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
        self._clock = clock
        self._stopping = stopping
        self._wait_seconds = wait
        self._report = Report()

    def run(self, upto: Mapping[int, int]) -> Report:
        """
        Send what waits, of each stream up to the id in *upto*.

        Raises:
            ConnectorDBError: The server is away, or refuses the key.
        """
        noted = set(self._store.noted())
        streams = [stream for stream in self._store.streams() if stream.id in upto or stream.id in noted]
        if not streams:
            return self._report
        device = self._server.call(rest.whoami())
        for stream in streams:
            self._check_stopping()
            try:
                self._serve(stream, device / stream.name, upto.get(stream.id, 0))
            except ResponseError as error:
                if error.status == 401:
                    raise
                self._report.failed[stream.name] = error
                log.warning("points of %s wait: %s", stream.name, error)
            except OutcomeUnknown as error:
                self._report.failed[stream.name] = error
                log.warning("points of %s: %s", stream.name, error)
        return self._report

    def _check_stopping(self) -> None:
        if self._stopping.is_set():
            raise Stopped("the sync was ended by stop() or close(); the points wait in the file")

    # --- a stream -------------------------------------------------------------------------------------------------------

    def _serve(self, stream: StreamRow, path: Path, upto: int) -> None:
        note = self._store.note(stream.id)
        if note is not None:
            self._settle_note(stream, path, note)
        if stream.declared:
            self._report.schemas_changed |= bring_to_server(self._store, self._server, stream, path)
        size, end, first = DATAPOINT_INSERT_LIMIT, None, stream.id << 40
        while rows := self._store.rows(first, upto, size, INSERT_BYTES_LIMIT, at_least=2):
            self._check_stopping()
            if end is None:
                end = self._end(path)
            note = Note(stream.id, rows[0].id, rows[-1].id, self._server.address, self._server.apikey, str(path), *end)
            self._store.write_note(note)
            sent_whole = _Sending(self, self._server, path, note, rows).run(Step.SEND, Attempt())
            # what was confirmed lies behind the length that was noted: so does whatever is sent next
            end = (end[0] + len(rows), rows[-1].t) if sent_whole else None
            size = plan.shape(size, refused=not sent_whole)

    def _end(self, path: Path) -> tuple[int, float | None]:
        """Return the stream's length and the time of its last point."""
        length = self._server.call(rest.length(path))
        if length == 0:
            return 0, None
        last = self._read(self._server, path, length - 1, length)
        return (length, last[-1]["t"]) if last else (0, None)  # made anew in between

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
                    rows = self._store.rows(note.first, note.last, 2 * DATAPOINT_INSERT_LIMIT, 2**62)
                    if not rows:
                        self._store.resolve(note.stream)
                        return
                    sending = _Sending(self, server, sent_to, note, rows, again=here)
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
        self.set_aside(note, [row.id for row in self._store.rows(note.first, note.last, 2**62, 2**62)], reason)

    def _settle_by_time(self, server: Server, path: Path, note: Note) -> None:
        """Look for rows of which is known only that they may have been sent, slice by slice, from the oldest on."""
        last = server.call(rest.points(path, {"i1": "-1", "i2": "0"}))
        newest = last[-1]["t"] if last else -math.inf
        while rows := self._slice(note):
            if rows[0].t > newest:
                break
            span = ranges.range_fields(now=0.0, t1=math.nextafter(rows[0].t, -math.inf), t2=rows[-1].t)
            settling = Settling([Sent((row.t,), value(row)) for row in rows])
            settling.look(server.call(rest.points(path, ranges.read_parameters(span))))
            found = set(settling.result().found)
            confirmed = [row.id for at, row in enumerate(rows) if at in found]
            old = [row.id for at, row in enumerate(rows) if at not in found and row.t < newest]
            note = replace(note, first=rows[-1].id + 1)
            self._store.resolve(note.stream, confirmed, note=note)
            self._report.confirmed += len(confirmed)
            if old:
                self.set_aside(note, old, _too_old(newest), keep=True)
        # those that share a time would be stored twice if a batch of them alone were sent twice
        self._store.spread(note.stream)
        self._store.resolve(note.stream)

    def _slice(self, note: Note) -> list[Row]:
        """Return the first rows of a note, and all that have the last one's time."""
        limit = DATAPOINT_INSERT_LIMIT
        while True:
            rows = self._store.rows(note.first, note.last, limit + 1, 2**62)
            if len(rows) <= limit:
                return rows
            whole = [row for row in rows if row.t < rows[-1].t]
            if whole:
                return whole
            limit *= 2

    # --- what a batch's steps need ----------------------------------------------------------------------------------------

    def confirm(self, note: Note, ids: list[int]) -> None:
        """Take rows off that are on the server, and the note with them."""
        self._store.resolve(note.stream, ids)
        self._report.confirmed += len(ids)

    def set_aside(self, note: Note, ids: list[int], reason: str, keep: bool = False) -> None:
        """Set rows aside, and drop the note unless it is to be kept."""
        self._store.resolve(note.stream, (), ids, reason, self._clock.wall(), note if keep else None)
        self._report.aside += len(ids)
        log.warning("%d points set aside: %s", len(ids), reason)

    def wait(self, server: Server, path: Path) -> None:
        """Wait until whatever was sent on connections that are closed now has arrived, or never will."""
        try:
            server.call(rest.length(path))
        except ResponseError as error:
            if not error.ref:  # it is not the server that speaks
                raise
        log.info("waiting %g s for a late copy of what was sent to %s", self._wait_seconds, path)
        if self._clock.wait(self._stopping, self._wait_seconds):
            self._check_stopping()

    def read_from(self, server: Server, path: Path, note: Note) -> Iterator[list[Datapoint]]:
        """
        Return what the stream holds from the noted length on, page by page.

        From its start, if the point before that length is no longer the one that was noted: the stream was made anew, or
        restored from a backup.
        """
        at, page = 0, DATAPOINT_INSERT_LIMIT
        if note.length:
            points = self._read(server, path, note.length - 1, note.length + page)
            if points and points[0]["t"] == note.before:
                yield points[:1]
                yield points[1:]
                if len(points) <= page:
                    return
                at = note.length + page
        while points := self._read(server, path, at, at + page):
            yield points
            if len(points) < page:
                return
            at += page

    def _read(self, server: Server, path: Path, first: int, end: int) -> list[Datapoint]:
        """Return points by index; what cannot be decoded is somebody else's, and left out."""
        try:
            return server.call(rest.points(path, {"i1": str(first), "i2": str(end)}))
        except ResponseError as error:
            if rest.INVALID_RANGE in error.message:  # it begins beyond the end
                return []
            if "msgpack" not in error.message:
                raise
            if end - first == 1:
                return [{"t": math.nan, "d": None}]
        middle = (first + end) // 2
        return self._read(server, path, first, middle) + self._read(server, path, middle, end)


class _Sending:
    """A noted batch on its way: the steps of `plan`, taken."""

    def __init__(
        self, around: Pass, server: Server, path: Path, note: Note, rows: list[Row], again: bool = True
    ) -> None:
        self._pass, self._server, self._path = around, server, path
        self._note, self._rows = note, rows
        self._again = again
        self._store = around._store
        self._error: ConnectorDBError | None = None
        self._newest = 0.0
        self._found: list[int] = []

    @property
    def batch(self) -> Batch:
        """What deciding needs to know of it."""
        return Batch(len(self._rows), self._rows[0].t)

    def run(self, step: Step, attempt: Attempt) -> bool:
        """
        Take steps until the batch is settled; tell whether it was sent and confirmed whole, as it was.

        Raises:
            ConnectorDBError: It cannot be settled now; the note stays, unless nothing of it can be on its way.
        """
        whole, unknown = step is Step.SEND, 0
        while True:
            self._pass._check_stopping()
            if step is Step.SEND:
                if unknown == _UNKNOWN_AT_MOST and self._error is not None:
                    raise self._error
                answer = plan.judge(self._send())
                if answer is plan.Answer.UNKNOWN:
                    self._note = replace(self._note, attempts=self._note.attempts + 1)
                    self._store.write_note(self._note)
                    unknown += 1
                step, attempt = plan.answered(self.batch, attempt, answer)
                whole = whole and step is Step.CONFIRM
            elif step is Step.READ:
                any_found = self._look()
                step, attempt = plan.looked(self.batch, attempt, any_found, self._newest)
                if step is not Step.FOUND and not self._again:  # where it was sent it is not wanted any more
                    step = Step.WAIT if attempt.tried else Step.LEAVE
            elif step is Step.WAIT:
                self._pass.wait(self._server, self._path)
                step, attempt = plan.waited(attempt)
            elif step is Step.MOVE:
                self._move(self._note)
                step = Step.SEND
            elif step is Step.HALVE:
                self._halve()
                step = Step.SEND
            else:
                self._end(step)
                return whole

    def _send(self) -> ConnectorDBError | None:
        body = ",".join([f'{{"t":{row.t!r},"d":{row.d}}}' for row in self._rows])
        try:
            self._server.call(rest.insert_text(self._path, f"[{body}]".encode(), len(self._rows)))
        except ConnectorDBError as error:
            log.debug("insert of %d points into %s: %s", len(self._rows), self._path, error)
            self._error = error
            return error
        return None

    def _look(self) -> bool:
        times = self._store.sent_times(self._note.first, self._note.last)
        settling = Settling([Sent((*times.get(row.id, ()), row.t), value(row)) for row in self._rows])
        self._newest = 0.0
        for points in self._pass.read_from(self._server, self._path, self._note):
            for point in points[-1:]:
                if not math.isnan(point["t"]):
                    self._newest = point["t"]
            settling.look(points)
            if settling.complete:
                break
        result = settling.result()
        self._found = [self._rows[at].id for at in result.found]
        return result.outcome is not Outcome.NOT_STORED

    def _halve(self) -> None:
        rows = self._rows[: len(self._rows) // 2]
        self._note = replace(self._note, last=rows[-1].id, attempts=0)
        if len(rows) == 1:
            self._move(self._note)
        else:
            self._store.write_note(self._note)
            self._rows = rows

    def _move(self, note: Note) -> None:
        self._store.move(note)
        self._rows = self._store.rows(note.first, note.last, 1, 0)

    def _end(self, step: Step) -> None:
        ids = [row.id for row in self._rows]
        if step is Step.CONFIRM:
            self._pass.confirm(self._note, ids)
        elif step is Step.FOUND:
            self._pass.confirm(self._note, self._found)
        elif step is Step.SET_ASIDE:
            self._pass.set_aside(self._note, ids, f"refused by the server: {self._message()}")
        elif step is Step.TOO_OLD:
            old = [row.id for row in self._rows if row.t < self._newest]
            self._pass.set_aside(self._note, old, _too_old(self._newest))
        else:
            assert step is Step.LEAVE
            self._store.resolve(self._note.stream)
            if self._error is not None:
                raise self._error

    def _message(self) -> str:
        return self._error.message if isinstance(self._error, ResponseError) else str(self._error)


def _too_old(newest: float) -> str:
    return f"older than {newest!r}, the time of the newest point in the stream, which another writer stored"


def value(row: Row) -> object:
    """Return a row's value; of one that is no JSON, something that no server holds."""
    try:
        return json_text.loads(row.d)
    except ValueError:
        return ["not JSON", row.d]


def bring_to_server(
    store: Store, server: Server, stream: StreamRow, path: Path, differs: Callable[[str], None] = log.warning
) -> bool:
    """
    Create a declared stream if the server has none of that name, and take over the schema of one that it has.

    Args:
        store: Where the outcome is kept.
        server: The server.
        stream: The stream as it was declared.
        path: Its path.
        differs: Told, in words, that the server's schema is another one; may raise, and then nothing is kept.

    Returns:
        Whether the schema is another one now.
    """
    try:
        fields = server.call(rest.read(path))
    except NotFound:
        log.info("creating %s", path)
        fields = server.call(rest.create(path, {**stream.properties, "schema": stream.schema}))
    held = schemas.schema(fields.get("schema") or "{}").text
    if held != stream.schema:
        differs(f"{path} has the schema {held}, not {stream.schema}: the server's holds")
    store.put_stream(stream.name, held, stream.properties, declared=False)
    return held != stream.schema
