"""Tests of `connectordb.logger.sync.last_second`: a server that confirms, and then forgets."""

from __future__ import annotations

import threading

from connectordb.logger.sync import plan
from connectordb.logger.sync.passes import Memory, Pass
from connectordb.protocol import rest
from connectordb.protocol.paths import Path
from connectordb.protocol.points import Datapoint
from tests.support.case import Case
from tests.support.clock import SteppedClock
from tests.support.fault_proxy import Fault
from tests.support.logger_cases import WAIT, PassCase


class LastSecondTests(PassCase):
    """What was confirmed is looked for once more before the file lets go of it."""

    announces = False

    def setUp(self) -> None:
        super().setUp()
        self.steps, self.memory = SteppedClock(), Memory()

    def sync(self) -> None:
        """Run a pass of a process that goes on."""
        elsewhere = self.link
        one = Pass(self.store, self.server, elsewhere, self.steps, threading.Event(), WAIT, memory=self.memory)
        report = one.run(self.store.points.newest())
        self.assertEqual(report.failed, {})
        self.assert_adds_up()

    def store_there(self, points: list[Datapoint]) -> None:
        """Store points, past the proxy."""
        self.link(self.url, self.key).call(rest.insert(Path.parse(f"{self.room}/s"), points))

    def server_loses(self, kept: int) -> None:
        """Have the server forget all but the first points."""
        points = self.server_stream[:]
        self.server_stream.delete()
        self.server_stream.create({})
        if points[:kept]:
            self.store_there(points[:kept])

    def test_seen_again(self) -> None:
        """Nothing is held any more ten seconds after it was confirmed, and nothing is sent for that."""
        self.log(*"12")
        self.sync()
        self.steps.advance(plan.WAIT / 2)
        self.log("3")
        self.sync()
        self.assertEqual([batch.length for batch in self.store.held.of(self.id)], [0, 2])
        self.steps.advance(plan.WAIT / 2)
        self.sync()
        self.assertEqual([batch.length for batch in self.store.held.of(self.id)], [2])
        self.steps.advance(plan.WAIT / 2)
        self.sync()
        self.assertEqual((self.store.held.streams(), self.proxy.inserts(), self.stored()), (set(), 2, [1, 2, 3]))

    def test_lost(self) -> None:
        """What the server lost goes again, in order and before what is newer, whatever it kept."""
        for kept in range(5):
            with self.subTest(kept=kept):
                before = self.stored()
                self.log(*"12")
                self.sync()
                self.log(*"34")
                self.sync()
                self.server_loses(len(before) + kept)
                self.log("5")
                self.sync()
                self.assertEqual(self.stored(), [*before, 1, 2, 3, 4, 5])
                self.steps.advance(plan.WAIT)
                self.sync()
                self.assertEqual((self.store.held.streams(), self.store.points.waiting()), (set(), 0))

    def test_another_writer(self) -> None:
        """Points of another writer between ours are not taken for a loss."""
        self.proxy.on_request = lambda line: self.other(line)
        self.log(*"12")
        self.sync()
        self.steps.advance(plan.WAIT)
        self.sync()
        self.assertEqual((self.store.held.streams(), self.stored()), (set(), ["another's", 1, 2]))

    def other(self, line: str) -> None:
        """Store a point of another writer just before the first insert."""
        if line.startswith("POST"):
            self.proxy.on_request = None
            self.store_there([{"t": 5.0, "d": "another's"}])

    def test_lost_under_a_note(self) -> None:
        """What is lost goes before a batch of unknown outcome that came after it."""
        for number in (1, 2):
            with self.subTest(number=number):
                before = self.stored()
                self.log(*"12")
                self.sync()
                self.log(*"34"[:number])
                self.proxy.script(Fault.LOST)

                def lose(line: str, kept: int = len(before)) -> None:
                    if line.startswith("POST"):
                        self.proxy.on_request = None
                        self.server_loses(kept)

                self.proxy.on_request = lose
                with self.assertRaises(AssertionError):
                    self.sync()  # the outcome is unknown, and told
                self.sync()
                self.assertEqual(self.stored(), [*before, 1, 2, 3, 4][: len(before) + 2 + number])

    def test_lost_before_a_newer_one(self) -> None:
        """What was lost between two batches of one pass is noticed, though the newer of them is there."""
        self.memory.size = 2
        self.log(*"1234")
        inserts = []

        def lose(line: str) -> None:
            if line.startswith("POST"):
                inserts.append(line)
                if len(inserts) == 2:
                    self.server_loses(0)

        self.proxy.on_request = lose
        self.sync()
        self.proxy.on_request = None
        self.assertEqual(self.stored(), [3, 4])
        self.sync()
        self.assertEqual([row.d for row in self.store.points.rows(0, 2**62, 9, 2**62)], [])
        self.assertEqual([point.d for point in self.store.aside.points()], [1, 2])  # too late for them

    def test_confirmed_once_more(self) -> None:
        """How long ago a batch was confirmed is not taken for the age of the same rows, lost and confirmed once more."""
        self.log(*"12")
        self.sync()
        ours, self.memory = self.memory, Memory()
        self.steps.advance(plan.WAIT)
        self.server_loses(0)
        self.sync()  # by another process
        self.memory = ours
        self.sync()
        self.assertEqual(self.store.held.streams(), {self.id})
        self.server_loses(0)
        self.sync()
        self.assertEqual(self.stored(), [1, 2])

    def test_durable(self) -> None:
        """A server that says it flushes is believed: nothing is held."""
        self.proxy.announces = True
        self.log(*"12")
        self.sync()
        self.assertEqual(self.store.held.streams(), set() if self.server.features.durable else {self.id})

    def test_elsewhere(self) -> None:
        """If the Logger has moved to another server, which cannot be asked for the first, what is held goes."""
        self.log(*"12")
        self.sync()
        self.server = self.link(self.url, self.key)
        self.proxy.close()
        self.log("3")
        self.sync()
        self.assertEqual(self.stored(), [1, 2, 3])


class SeenTests(Case):
    """The memory of a process begins empty."""

    def test_memory(self) -> None:
        """Two processes share none."""
        self.assertIsNot(Memory().seen, Memory().seen)
