"""Tests of `connectordb.logger.sync.sending`: a batch whose every answer is scripted. Real faults are in `test_sync`."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

from connectordb.exceptions import (
    Conflict,
    ConnectionFailed,
    ConnectorDBError,
    InvalidRequest,
    OutcomeUnknown,
    PermissionDenied,
)
from connectordb.logger.records import Note, Row
from connectordb.logger.rows.store import Store
from connectordb.logger.sync import plan
from connectordb.logger.sync.plan import Attempt, Step
from connectordb.logger.sync.sending import Context, Sending, Stopped, value
from connectordb.protocol import json_text, rest
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path
from tests.support.case import Case
from tests.support.clock import SteppedClock

PATH = Path.parse("u/d/s")


class Scripted:
    """A stream, and what is to happen to each insert: stored or not, and what is said of it."""

    address, apikey = "http://x", "key"

    def __init__(self) -> None:
        self.features = Features()
        self.keys: dict[str, list[Any]] = {}
        self.held: list[dict[str, Any]] = []
        self.script: list[tuple[bool, ConnectorDBError | None]] = []
        self.sent: list[list[tuple[float, Any]]] = []
        self.on_read: Callable[[], None] = lambda: None
        self.on_insert: Callable[[], object] = lambda: None

    def call(self, request: rest.Request[Any]) -> Any:
        """Answer."""
        if request.method == "POST":
            self.on_insert()
            points = json_text.loads(request.body or b"")
            self.sent.append([(point["t"], point["d"]) for point in points])
            stored, error = self.script.pop(0) if self.script else (True, None)
            known = request.key is not None and self.keys.get(request.key) == points
            if stored and request.key is not None:
                self.keys[request.key] = points
            if stored and not known:
                self.held += points
            if error is not None:
                raise error
            return None
        if request.parameters.get("q") == "length":
            return len(self.held)
        if not request.parameters:
            return {}
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

    def sending(self, number: int, key: str | None = None) -> Sending:
        """Return the sending of so many new points."""
        for n in range(number):
            self.store.points.append(1, 1000.0 + n, str(n), 0)
        packed = self.store.points.packed(self.store.held.first_waiting(1), (2 << 40) - 1, 100)
        assert packed is not None
        note = Note(1, packed.first, packed.last, "http://x", "key", str(PATH), 0, None, key=key)
        self.store.notes.write(note)
        return Sending(self.context, self.server, PATH, note, packed)

    def send(self, number: int, key: str | None = None) -> bool:
        sending = self.sending(number, key)
        return sending.run(Step.SEND, Attempt(keyed=sending.keyed))

    def test_stored(self) -> None:
        """What was answered with ok is off the file, with its note."""
        self.assertTrue(self.send(3))
        self.assertEqual(
            (self.store.points.waiting(), self.store.notes.streams(), self.context.report.confirmed), (0, [], 3)
        )
        self.assertEqual([(batch.length, batch.last - batch.first) for batch in self.store.held.of(1)], [(0, 2)])

    def test_durable(self) -> None:
        """What a server says is durable is not held."""
        self.server.features = Features(durable=True)
        self.send(3)
        self.assertEqual((self.store.points.waiting(), self.store.held.of(1)), (0, []))

    def test_key(self) -> None:
        """Where the server knows the batch by its key, it goes again at once, with the same times and the same key."""
        self.server.features = Features(durable=True, idempotency=600)
        for number in (1, 4):
            for stored in (False, True):
                with self.subTest(number=number, stored=stored):
                    self.server.held.clear()
                    self.server.sent.clear()
                    self.server.script = [(stored, OutcomeUnknown("cut"))] * (2 if number == 1 else 1)
                    self.send(number, key=f"key {number} {stored}")
                    self.assertEqual(self.clock.monotonic(), 0.0)
                    self.assertEqual(len(self.server.held), number)
                    self.assertEqual(self.server.sent, [self.server.sent[0]] * len(self.server.sent))
                    self.assertEqual(self.store.points.waiting(), 0)

    def test_key_that_means_nothing_any_more(self) -> None:
        """If the server announces no keys by the time, a lone point waits, and goes again a step later."""
        self.server.features = Features(idempotency=600)
        self.server.script = [(False, OutcomeUnknown("cut"))]
        self.server.on_read = lambda: setattr(self.server, "features", Features())
        self.send(1, key="k")
        self.assertEqual(self.clock.monotonic(), 10.0)
        ((first,), (second,)) = self.server.sent
        self.assertLess(first[0], second[0])

    def test_key_refused(self) -> None:
        """A batch whose key the server does not take goes without."""
        self.server.features = Features(idempotency=600)
        refusal = InvalidRequest("too many of Idempotency-Key", status=429, ref="1")
        self.server.script = [(False, refusal)]
        self.send(3, key="k")
        self.assertEqual((len(self.server.sent), self.server.keys), (2, {}))

    def test_key_refused_is_noted(self) -> None:
        """Before a copy goes without a key the note says so: who finds it must not count on the server's knowing the copy."""
        self.server.features = Features(idempotency=600)
        refusal = InvalidRequest("too many of Idempotency-Key", status=429, ref="1")
        for script in (
            [(False, refusal), (False, ConnectionFailed("refused"))],
            [(False, ConnectionFailed("refused"))],
        ):
            with self.subTest(number=len(script)):
                self.server.script, noted = list(script), []
                self.server.on_insert = lambda noted=noted: noted.append(self.store.notes.of(1))
                sending = self.sending(1, key="k")
                if len(script) == 1:
                    self.server.features = Features()  # it is another program by now
                with self.assertRaises(ConnectionFailed):
                    sending.run(Step.SEND, Attempt(keyed=sending.keyed))
                self.assertIsNone(noted[-1].key)
                self.store.notes.clear()

    def test_dropped_meanwhile(self) -> None:
        """A batch that the user drops while it is on its way is gone, whatever became of it."""
        for stored in (False, True):
            for number in (1, 3):
                with self.subTest(stored=stored, number=number):
                    self.server.script = [(stored, OutcomeUnknown("cut"))]
                    self.server.on_insert = self.store.notes.clear
                    self.assertFalse(self.send(number))
                    self.assertEqual((self.store.points.waiting(), self.store.notes.streams()), (0, []))
        self.assertEqual(len(self.server.sent), 4)

    def test_denied_after_doubt(self) -> None:
        """What is denied while an earlier copy is in doubt is not tried over and over, and its note stays."""
        denied = PermissionDenied("Write access to stream data denied.", status=403, ref="1")
        self.server.script = [(False, OutcomeUnknown("cut")), *[(False, denied)] * 50]
        with self.assertRaises(PermissionDenied):
            self.send(3)
        self.assertEqual((len(self.server.sent), self.store.notes.streams()), (2, [1]))

    def test_older_than_what_cannot_be_read(self) -> None:
        """A batch that is older than a point that nobody can decode is not tried over and over."""
        older = Conflict("Greater timestamp already exists for the stream. Insert Failed.", status=403, ref="1")
        for number in (1, 3):
            for doubt in ([], [(False, OutcomeUnknown("cut"))]):
                with self.subTest(number=number, doubt=bool(doubt)):
                    self.server.script = [*doubt, *[(False, older)] * 50]
                    self.server.sent.clear()
                    with self.assertRaises(Conflict):
                        self.send(number)
                    self.assertEqual((len(self.server.sent), self.store.points.waiting()), (6 + len(doubt), number))
                    self.store.notes.clear()

    def test_unsent_after_doubt(self) -> None:
        """If there is no connection for the second copy, the note stays: the first may come at any time."""
        self.server.script = [(False, OutcomeUnknown("cut")), (False, ConnectionFailed("refused"))]
        with self.assertRaises(ConnectionFailed):
            self.send(1)
        self.assertEqual(self.store.notes.streams(), [1])

    def test_split_off(self) -> None:
        """What was split off a batch in doubt is found if a copy of the whole comes after all."""
        for number in (2, 5):
            with self.subTest(number=number):
                self.server.held.clear()
                self.server.sent.clear()
                self.server.script = [(False, OutcomeUnknown("cut"))] * 3
                with self.assertRaises(OutcomeUnknown):
                    self.send(number)  # whole, whole, and a half of it
                self.server.held += [{"t": t, "d": d} for t, d in self.server.sent[0]]
                note = self.store.notes.of(1)
                assert note is not None
                packed = self.store.points.packed(note.first, note.last, 100)
                assert packed is not None
                sending = Sending(self.context, self.server, PATH, note, packed)
                sending.run(*plan.found(sending.batch, note.attempts))
                self.assertEqual((self.store.points.waiting(), len(self.server.held)), (0, number))

    def test_not_held_behind_what_waits(self) -> None:
        """A batch is not held if points before it wait, which would seem to be confirmed."""
        self.store.points.append(1, 1.0, "0", 0)
        (first,) = self.store.points.rows(0, 2**62, 10, 2**62)
        self.store.points.append(1, 2.0, "1", 0)
        packed = self.store.points.packed(first.id + 1, (2 << 40) - 1, 100)
        assert packed is not None
        note = Note(1, packed.first, packed.last, "http://x", "key", str(PATH), 0, None)
        self.store.notes.write(note)
        self.assertTrue(Sending(self.context, self.server, PATH, note, packed).run(Step.SEND, Attempt()))
        self.assertEqual((self.store.held.of(1), self.store.held.first_waiting(1)), ([], first.id))
        self.assertEqual([row.id for row in self.store.points.rows(0, 2**62, 10, 2**62)], [first.id])

    def test_found_is_held(self) -> None:
        """What was found where it may be forgotten is held, also if there are gaps between its ids."""
        self.store.points.append(1, 1500.0, "-1", 0)
        self.store.points.append(1, 1600.0, "-3", 0)
        self.store.points.append_many({1: [(1550.0, "-2")]}, 0.0)  # the one before has another id now
        self.server.script = [(True, OutcomeUnknown("cut"))]
        self.send(3)
        (batch,) = self.store.held.of(1)
        rows = self.store.points.rows(0, 2**62, 10, 2**62)
        self.assertEqual((len(rows), batch.first, batch.last), (6, rows[0].id, rows[-1].id))

    def test_restamp(self) -> None:
        """Points that are too old are given the earliest times there are, with those that they get in the way of."""
        self.context.restamp = True
        self.server.held = [{"t": 1001.0, "d": "another's"}]
        older = Conflict("Greater timestamp already exists for the stream. Insert Failed.", status=403, ref="1")
        self.server.script = [(False, older)]
        self.send(3)
        self.assertEqual([point["d"] for point in self.server.held], ["another's", 0, 1, 2])
        times = [point["t"] for point in self.server.held]
        self.assertTrue(all(one < two for one, two in zip(times, times[1:], strict=False)))
        self.assertLess(times[2], 1001.1)
        self.assertEqual((times[3], self.context.report.aside), (1002.0, 0))

    def test_restamp_in_vain(self) -> None:
        """While another writer always stores something newer, it is tried a few times, and then later."""
        self.context.restamp = True
        older = Conflict("Greater timestamp already exists for the stream. Insert Failed.", status=403, ref="1")
        self.server.script = [(False, older)] * 20
        newest = itertools.count(2000)
        self.server.on_read = lambda: self.server.held.append({"t": float(next(newest)), "d": "another's"})
        with self.assertRaises(Conflict):
            self.send(2)
        self.assertEqual((len(self.server.sent), self.store.points.waiting(), self.store.notes.streams()), (6, 2, []))

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
