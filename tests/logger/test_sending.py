"""Tests of `connectordb.logger.sending`: a batch whose every answer is scripted. Real faults are in `test_sync`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from connectordb.exceptions import ConnectionFailed, ConnectorDBError, OutcomeUnknown
from connectordb.logger.plan import Attempt, Step
from connectordb.logger.records import Note, Row
from connectordb.logger.sending import Context, Sending, Stopped, value
from connectordb.logger.store import Store
from connectordb.protocol import json_text, rest
from connectordb.protocol.paths import Path
from tests.support.case import Case
from tests.support.clock import SteppedClock

PATH = Path.parse("u/d/s")


class Scripted:
    """A stream, and what is to happen to each insert: stored or not, and what is said of it."""

    address, apikey = "http://x", "key"

    def __init__(self) -> None:
        self.held: list[dict[str, Any]] = []
        self.script: list[tuple[bool, ConnectorDBError | None]] = []
        self.sent: list[list[tuple[float, Any]]] = []
        self.on_read: Callable[[], None] = lambda: None

    def call(self, request: rest.Request[Any]) -> Any:
        """Answer."""
        if request.method == "POST":
            points = json_text.loads(request.body or b"")
            self.sent.append([(point["t"], point["d"]) for point in points])
            stored, error = self.script.pop(0) if self.script else (True, None)
            if stored:
                self.held += points
            if error is not None:
                raise error
            return None
        if request.parameters.get("q") == "length":
            return len(self.held)
        self.on_read()
        return [dict(point) for point in self.held[int(request.parameters["i1"]) : int(request.parameters["i2"])]]


class SendingTests(Case):
    """The steps are taken as they were decided, and the file says so."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.store.catalogue.put_stream("s", "{}")
        self.clock, self.stopping = SteppedClock(), threading.Event()
        self.context = Context(self.store, self.clock, self.stopping, 10.0)
        self.server = Scripted()

    def sending(self, number: int) -> Sending:
        """Return the sending of so many new points."""
        for n in range(number):
            self.store.points.append(1, 1000.0 + n, str(n), 0)
        rows = self.store.points.rows(1 << 40, (2 << 40) - 1, 100, 10**6)
        note = Note(1, rows[0].id, rows[-1].id, "http://x", "key", str(PATH), 0, None)
        self.store.notes.write(note)
        return Sending(self.context, self.server, PATH, note, rows)

    def send(self, number: int) -> bool:
        return self.sending(number).run(Step.SEND, Attempt())

    def test_stored(self) -> None:
        """What was answered with ok is off the file, with its note."""
        self.assertTrue(self.send(3))
        self.assertEqual(
            (self.store.points.waiting(), self.store.notes.streams(), self.context.report.confirmed), (0, [], 3)
        )

    def test_lone_point(self) -> None:
        """A lone point that was lost goes again after ten seconds, a step later."""
        self.server.script = [(False, OutcomeUnknown("cut"))]
        self.assertFalse(self.send(1))
        self.assertEqual(self.clock.monotonic(), 10.0)
        ((first,), (second,)) = self.server.sent
        self.assertLess(first[0], second[0])
        self.assertEqual(len(self.server.held), 1)

    def test_first_copy_arrives_late(self) -> None:
        """A lone point is found under the time it was first sent with, even after it went again with another."""
        self.server.script = [(False, OutcomeUnknown("cut")), (False, OutcomeUnknown("cut"))]
        first: list[dict[str, Any]] = []

        def arrive() -> None:
            if len(self.server.sent) == 2 and not first:
                t, d = self.server.sent[0][0]
                first.append({"t": t, "d": d})
                self.server.held += first

        self.server.on_read = arrive
        self.send(1)
        self.assertEqual((len(self.server.sent), self.server.held), (2, first))
        self.assertEqual(self.store.points.waiting(), 0)

    def test_batch(self) -> None:
        """A batch that was lost goes again at once, as it was."""
        self.server.script = [(False, OutcomeUnknown("cut"))]
        self.send(4)
        self.assertEqual(self.clock.monotonic(), 0.0)
        self.assertEqual(self.server.sent[0], self.server.sent[1])

    def test_never_through(self) -> None:
        """What never gets through is tried a few times, in halves too, and the note stays."""
        self.server.script = [(False, OutcomeUnknown("cut"))] * 9
        with self.assertRaises(OutcomeUnknown):
            self.send(4)
        self.assertEqual([len(points) for points in self.server.sent], [4, 4, 2])
        note = self.store.notes.of(1)
        assert note is not None
        self.assertEqual(note.attempts, 1)
        self.assertEqual(self.store.points.waiting(), 4)

    def test_unsent(self) -> None:
        """If there was no connection nothing is in doubt."""
        self.server.script = [(False, ConnectionFailed("refused"))]
        with self.assertRaises(ConnectionFailed):
            self.send(1)
        self.assertEqual((self.store.notes.streams(), self.store.points.waiting()), ([], 1))

    def test_stopped(self) -> None:
        """A wait that is broken off leaves the note."""
        self.server.script = [(False, OutcomeUnknown("cut"))]
        self.server.on_read = self.fail
        sending = self.sending(1)
        self.clock.wait = lambda event, seconds: (event.set(), True)[1]  # type: ignore[method-assign]
        with self.assertRaises(Stopped):
            sending.run(Step.SEND, Attempt())
        self.assertEqual(self.store.notes.streams(), [1])

    def test_value(self) -> None:
        """A value that is no JSON is like no other."""
        self.assertEqual(value(Row(1, 1.0, "[1]")), [1])
        self.assertEqual(value(Row(1, 1.0, "NaN")), ["not JSON", "NaN"])
