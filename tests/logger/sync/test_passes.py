"""Tests of `connectordb.logger.sync.passes`, and of `sending` and `reading` below it, through a proxy that breaks things."""

from __future__ import annotations

import itertools
import json
import os
import signal
import threading
from typing import Any

from connectordb import ConnectorDB
from connectordb.exceptions import AuthenticationError, ConnectionFailed, LoggerError, NotFound
from connectordb.logger.records import Note
from connectordb.logger.sync.passes import Pass
from connectordb.logger.sync.sending import Stopped
from connectordb.runtime.clock import SYSTEM
from tests.support.case import SOON
from tests.support.fault_proxy import Fault
from tests.support.logger_cases import NOWHERE, WAIT, PassCase
from tests.support.nursery import Nursery


class Faults(PassCase):
    """What happens to inserts on their way."""

    def test_every_fault(self) -> None:
        """Whatever happens to inserts, each point is there once and in order, and the file is empty."""
        expected: list[int] = []
        for fault, number in itertools.product(Fault, (1, 2, 5)):
            with self.subTest(fault=fault, number=number):
                new = list(range(len(expected), len(expected) + number))
                expected += new
                self.log(*map(str, new))
                self.proxy.script(fault)
                self.run_passes()
                self.proxy.deliver()  # what was late comes now, and is refused
                self.assertEqual(self.stored(), expected)
        self.assertEqual(self.store.aside.points(), [])
        self.assert_adds_up()

    def test_two_faults_in_a_row(self) -> None:
        """Two faults after each other make no difference."""
        expected: list[int] = []
        faults = (Fault.LOST, Fault.NO_ANSWER, Fault.LATE, Fault.ERROR)
        for one, two, number in itertools.product(faults, faults, (1, 2)):
            with self.subTest(one=one, two=two, number=number):
                new = list(range(len(expected), len(expected) + number))
                expected += new
                self.log(*map(str, new))
                self.proxy.script(one, two)
                self.run_passes()
                self.proxy.deliver()
                self.assertEqual(self.stored(), expected)
        self.assertEqual(self.store.aside.points(), [])

    def test_nothing_gets_through(self) -> None:
        """Where small requests pass and inserts never do, a pass ends with the error, and a later one delivers."""
        self.log(*"123456")
        self.proxy.script(*[Fault.LOST] * 8)
        for _ in range(2):
            self.assertIn("s", self.run_pass().failed)
        self.assertEqual(self.store.points.waiting(), 6)
        self.run_passes()
        self.assertEqual(self.stored(), [1, 2, 3, 4, 5, 6])


class FaultsBeforeAnOriginal(Faults):
    """The same, where the server knows no keys and may lose its last second."""

    announces = False

    def test_late_copy_in_the_wait(self) -> None:
        """A lone point whose request arrives during the wait is found, and not sent again."""
        self.log("1")
        self.proxy.script(Fault.LATE)
        waits: list[float] = []
        server, proxy = self.server, self.proxy

        class Waiting(type(SYSTEM)):  # type: ignore[misc]
            def wait(self, event: threading.Event, seconds: float) -> bool:
                waits.append(seconds)
                proxy.deliver()
                return False

        Pass(self.store, server, self.link, Waiting(), threading.Event()).run(self.store.points.newest())
        self.assertEqual(waits, [10.0])
        self.assertEqual(self.stored(), [1])
        self.assertEqual(self.proxy.inserts(), 1)


class PassTests(PassCase):
    """A pass sends what waits, each point once, in order."""

    def test_nothing_waits(self) -> None:
        """Where nothing waits no request is made."""
        self.run_pass()
        self.assertEqual(self.proxy.requests, [])

    def test_batches(self) -> None:
        """More points than go into one insert arrive in order, and nothing waits any more."""
        self.store.points.append_many({self.id: [(1000.0 + n, str(n)) for n in range(240)]}, 0.0)
        wide = [(2000.0 + n, json.dumps("x" * 300_000)) for n in range(5)]
        self.store.points.append_many({self.id: wide}, 0.0)
        self.assertEqual(self.run_pass().confirmed, 245)
        self.assertEqual(self.stored()[:240], list(range(240)))
        self.assertEqual(len(self.stored()), 245)
        self.assertEqual(self.store.points.waiting(), 0)
        self.assertEqual(self.proxy.inserts(), 2)
        self.assertLess(max(map(len, self.proxy.bodies)), 2**20 + 1000)

    def test_an_earlier_point_before_the_note(self) -> None:
        """A point that is sorted in before those that are about to be sent has none of them sent twice."""
        self.log(*"123")
        asked: list[str] = []

        def sort_in(line: str) -> None:
            if "q=length" in line and not asked:
                asked.append(line)
                self.store.points.append_many({self.id: [(1001.5, '"between"')]}, 0.0)

        self.proxy.on_request = sort_in
        self.run_passes()
        self.assertTrue(asked)
        self.assertEqual(self.stored(), [1, "between", 2, 3])
        self.assertEqual(self.store.aside.points(), [])
        self.assert_adds_up()

    def test_a_name_that_no_server_takes(self) -> None:
        """A stream of an older file whose name no server takes waits by itself, and is told; the others are served."""
        bad = self.add("no such name/")
        good = self.add("t")
        self.new_stream("t")
        self.log("1", stream=bad)
        self.log("2", stream=good)
        report = self.run_pass()
        self.assertEqual(self.stored("t"), [2])
        self.assertEqual(list(report.failed), ["no such name/"])
        self.assertEqual(self.store.points.waiting(), 1)

    def test_cleared_meanwhile(self) -> None:
        """Points that are dropped while they are being refused are gone, and the pass goes on."""
        schema = self.add("t", json.dumps({"type": "string"}))
        self.new_stream("t", {"type": "string"})
        self.log("1", "2", stream=schema)

        def clear(line: str) -> None:
            if line.startswith("POST"):
                self.store.notes.clear()

        self.proxy.on_request = clear
        self.assertEqual(self.run_pass().confirmed, 0)
        self.assertEqual(self.store.points.waiting(), 0)
        self.assertEqual(self.store.notes.streams(), [])
        self.assert_adds_up()

    def test_never_put(self) -> None:
        """The server is never asked to restamp."""
        self.log(*"12345")
        self.proxy.script(Fault.NO_ANSWER, Fault.LOST)
        self.run_passes()
        self.assertFalse([line for line in self.proxy.requests if line.startswith("PUT")])

    def test_what_came_meanwhile(self) -> None:
        """Points that are logged during a pass wait for the next."""
        self.log(*"12")

        def log_more(line: str) -> None:
            if line.startswith("POST"):
                self.log("3")

        self.proxy.on_request = log_more
        self.run_pass()
        self.proxy.on_request = None
        self.assertEqual([row.d for row in self.waiting()], ["3"])
        self.run_pass()
        self.assertEqual(self.stored(), [1, 2, 3])

    def test_server_away(self) -> None:
        """With the server away the pass fails, no note is made, and everything waits."""
        self.log("1", "2")
        self.server = self.link("http://127.0.0.1:1", self.key)
        with self.assertRaises(ConnectionFailed):
            self.run_pass()
        self.assertEqual(self.store.notes.streams(), [])
        self.assertEqual(self.store.points.waiting(), 2)

    def test_wrong_key(self) -> None:
        """A key that is refused ends the pass."""
        self.log("1")
        self.server = self.link(self.proxy.url, "nobodys-key")
        with self.assertRaisesRegex(AuthenticationError, "did not accept the Logger's apikey.*; is it") as caught:
            self.run_pass()
        self.assertNotIn("nobodys-key", str(caught.exception))
        self.assertEqual(self.store.points.waiting(), 1)

    def test_no_key(self) -> None:
        """Without a key the pass says that one is missing, rather than that nobody's streams are not there."""
        self.log("1")
        self.server = self.link(self.proxy.url, "")
        with self.assertRaisesRegex(LoggerError, "no API key for .*assign"):
            self.run_pass()
        self.assertEqual(self.store.points.waiting(), 1)

    def test_stopping(self) -> None:
        """A pass that is to end ends before its next request."""
        self.log("1")
        stopping = threading.Event()
        stopping.set()
        with self.assertRaises(Stopped):
            Pass(self.store, self.server, self.link, SYSTEM, stopping, WAIT).run(self.store.points.newest())
        self.assertEqual(self.store.points.waiting(), 1)

    def test_one_stream_denied(self) -> None:
        """A stream that is not there does not keep the others from being sent; its points wait, and it is told."""
        other = self.add("missing")
        self.log("1", stream=other)
        self.log("2")
        report = self.run_pass()
        self.assertIsInstance(report.failed["missing"], NotFound)
        self.assertEqual(self.stored(), [2])
        self.assertEqual(len(self.waiting(other)), 1)
        self.assertEqual(self.store.notes.streams(), [])


class RefusedTests(PassCase):
    """What the server will never take is set aside with its words; the rest goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.server_stream.schema = {"type": "number"}

    def test_refused_points(self) -> None:
        """Refused points are found by halving, wherever they are, and set aside."""
        self.log("1", '"a"', "2", "3", "4", '"b"', '"c"', "5", "6", '"d"')
        with self.assertLogs("connectordb.logger", "WARNING"):
            report = self.run_pass()
        self.assertEqual(self.stored(), [1, 2, 3, 4, 5, 6])
        self.assertEqual((report.confirmed, report.aside), (6, 4))
        rejected = self.store.aside.points()
        self.assertEqual([point.d for point in rejected], ["a", "b", "c", "d"])
        self.assertTrue(all("did not conform" in point.reason and point.stream == "s" for point in rejected))
        self.assert_adds_up()

    def test_all_refused(self) -> None:
        """A hundred refused points cost a few requests each, and end."""
        self.log(*[f'"{n}"' for n in range(100)], "1")
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.run_pass()
        self.assertEqual(self.stored(), [1])
        self.assertEqual(len(self.store.aside.points()), 100)
        self.assertLess(self.proxy.inserts(), 400)

    def test_refused_after_an_unknown_outcome(self) -> None:
        """A batch with a refused point whose first sending got no answer is halved only after the wait."""
        self.log("1", '"a"', "2")
        self.proxy.script(Fault.LOST)
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.run_passes()
        self.assertEqual(self.stored(), [1, 2])
        self.assertEqual([point.d for point in self.store.aside.points()], ["a"])


class OthersTests(PassCase):
    """Other writers, and streams made anew, confuse nothing."""

    def write(self, t: float, value: Any) -> None:
        """Write as another program with the same key."""
        with ConnectorDB(self.key, url=self.url) as other:
            other["s"].insert_array([{"t": t, "d": value}])

    def test_older(self) -> None:
        """Points older than what another wrote are set aside, counted and told; newer ones are stored."""
        self.log("1", "2")
        self.write(1001.5, "x")
        with self.assertLogs("connectordb.logger", "WARNING") as logged:
            report = self.run_pass()
        self.assertIn("1 points set aside: older than 1001.5", logged.output[0])
        self.assertEqual((report.confirmed, report.aside), (1, 1))
        self.assertEqual(self.stored(), ["x", 2])
        self.assertEqual([(point.t, point.d) for point in self.store.aside.points()], [(1001.0, 1)])
        self.assert_adds_up()

    def test_others_between(self) -> None:
        """Points of others, written between sending and looking, do not hide ours."""
        self.log("1", "2")
        self.proxy.script(Fault.NO_ANSWER)
        written = itertools.count()

        def write_once(line: str) -> None:
            if self.proxy.inserts() and not next(written):
                self.write(1002.0, "x")

        self.proxy.on_request = lambda line: write_once(line) if line.startswith("GET") else None
        self.run_passes()
        self.assertEqual(sorted(map(str, self.stored())), ["1", "2", "x"])

    def test_equal_points_of_others(self) -> None:
        """A point of another's at the same time with another value is not taken for ours."""
        self.write(1001.0, "x")
        self.log("1")
        self.proxy.script(Fault.LOST)
        self.run_passes()
        self.assertEqual(self.stored(), ["x", 1])

    def test_made_anew(self) -> None:
        """A stream that was made anew while an outcome was unknown is read from its start."""
        self.log(*"123")
        self.run_pass()
        self.log("4", "5")
        self.proxy.script(Fault.NO_ANSWER)
        seen: list[str] = []

        def break_off(line: str) -> None:
            seen.append(line)
            if "i1=" in line and any(one.startswith("POST") for one in seen):
                raise OSError  # what would have settled it does not arrive either

        self.proxy.on_request = break_off
        with self.assertRaises(ConnectionFailed):
            self.run_pass()
        self.proxy.on_request = None
        self.assertEqual(self.store.notes.streams(), [self.id])
        self.server_stream.delete()
        self.new_stream()
        self.run_passes()
        # what a server confirmed that may lose its last second is taken for lost with it
        before = [] if self.server.features.durable else [1, 2, 3]
        self.assertEqual(self.stored(), [*before, 4, 5])

    def test_sent_elsewhere(self) -> None:
        """A batch in doubt is settled where it was sent, though the Logger goes elsewhere now."""
        self.log("1", "2")
        rows = self.waiting()
        for row in rows:
            self.write(row.t, int(row.d))
        path = f"{self.room}/s"
        self.store.notes.write(Note(self.id, rows[0].id, rows[-1].id, self.url, self.key, path, 0, None))
        self.log("3")
        self.run_passes()
        self.assertEqual(self.stored(), [1, 2, 3])

    def test_cannot_be_settled(self) -> None:
        """A batch in doubt, sent to where nothing can be read any more, is set aside as of unknown outcome."""
        self.log("1", "2")
        rows = self.waiting()
        note = Note(self.id, rows[0].id, rows[-1].id, self.url, "an-old-key", f"{self.room}/s", 0, None)
        self.store.notes.write(note)
        self.log("3")
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.run_passes()
        self.assertEqual(self.stored(), [3])
        self.assertTrue(all("outcome unknown" in point.reason for point in self.store.aside.points()))
        self.assertEqual(len(self.store.aside.points()), 2)

    def test_cannot_be_asked(self) -> None:
        """A batch in doubt, sent to a server that is away, keeps its own stream waiting, and no other."""
        self.log("1", "2")
        rows = self.waiting()
        self.store.notes.write(Note(self.id, rows[0].id, rows[-1].id, NOWHERE, "key", f"{self.room}/s", 0, None))
        self.new_stream("other")
        self.log("3", stream=self.add("other"))
        with self.assertLogs("connectordb.logger", "WARNING"):
            report = self.run_pass()
        self.assertRegex(str(report.failed["s"]), f"may have arrived at {NOWHERE}.*set_aside_unsettled")
        self.assertEqual((self.stored(), self.stored("other"), len(self.waiting())), ([], [3], 2))
        self.assertEqual(self.store.notes.streams(), [self.id])


class EphemeralTests(PassCase):
    """What is sent to a stream that keeps nothing is sent once."""

    announces = False

    def setUp(self) -> None:
        super().setUp()
        self.server_stream.ephemeral = True

    def test_confirmed(self) -> None:
        """What was confirmed is not taken for lost."""
        self.log("1", "2")
        for _ in range(3):
            self.run_pass()
        self.assertEqual((self.proxy.inserts(), self.store.held.streams(), self.store.points.waiting()), (1, set(), 0))

    def test_in_doubt(self) -> None:
        """What got no answer is set aside."""
        for number in (1, 2):
            with self.subTest(number=number):
                sent = self.proxy.inserts()
                self.log(*"12"[:number])
                self.proxy.script(Fault.NO_ANSWER)
                with self.assertLogs("connectordb.logger", "WARNING"):
                    self.run_pass()
                self.assertEqual((self.proxy.inserts() - sent, self.store.points.waiting()), (1, 0))
        self.assertEqual(len(self.store.aside.points()), 3)
        self.assertIn("ephemeral", self.store.aside.points()[0].reason)
        self.assert_adds_up()


class DeclaredTests(PassCase):
    """Streams that were added with the server away come to it at the first sync."""

    def test_created(self) -> None:
        """A declared stream is created, with its properties, and then filled."""
        self.store.catalogue.put_stream("new", '{"type":"number"}', {"nickname": "New"}, declared=True)
        new = {stream.name: stream.id for stream in self.store.catalogue.streams()}["new"]
        self.log("1", stream=new)
        self.run_pass()
        self.assertEqual(self.stored("new"), [1])
        self.assertEqual(self.at("new").nickname, "New")
        self.assertFalse(any(stream.declared for stream in self.store.catalogue.streams()))

    def test_another_schema_is_an_error(self) -> None:
        """A stream that is there with another schema, where that is an error, does not keep others from being sent."""
        self.store.catalogue.put_stream("s", '{"type":"string"}', {}, declared=True, strict=True)
        self.new_stream("other")
        self.log("1")
        self.log("2", stream=self.add("other"))
        with self.assertLogs("connectordb.logger", "WARNING"):
            report = self.run_pass()
        self.assertIn("has the schema", str(report.failed["s"]))
        self.assertEqual((self.stored("other"), len(self.waiting())), ([2], 1))

    def test_another_schema_is_there(self) -> None:
        """Where the stream is there with another schema, that one holds; points that it refuses are set aside."""
        self.server_stream.schema = {"type": "number"}
        self.add("s", '{"type":"string"}', declared=True)
        self.log('"a"', "1")
        with self.assertLogs("connectordb.logger", "WARNING") as logged:
            report = self.run_pass()
        self.assertIn("the server's holds", logged.output[0])
        self.assertTrue(report.schemas_changed)
        self.assertEqual(self.store.catalogue.streams()[0].schema, '{"type":"number"}')
        self.assertEqual(self.stored(), [1])
        self.assertEqual([point.d for point in self.store.aside.points()], ["a"])


class KillTests(PassCase):
    """A syncing process may be killed at any request: nothing is missing, nothing is there twice."""

    def setUp(self) -> None:
        super().setUp()
        self.nursery = Nursery("tests.support.syncing_lives")
        self.addCleanup(self.nursery.close)

    def test_kill(self) -> None:
        """Killed before, and after, each of its requests arrives, and tried again, it delivers each point once."""
        expected: list[int] = []
        numbers = itertools.cycle((1, 3, 3, 1))
        for at, delivered in itertools.product(range(1, 7), (True, False)):
            number = next(numbers)
            with self.subTest(number=number, at=at, delivered=delivered):
                new = list(range(len(expected), len(expected) + number))
                expected += new
                self.log(*map(str, new))
                self.kill_at(at, delivered)
                self.run_passes()
                self.assertEqual(self.stored(), expected)
        self.assertEqual(self.store.aside.points(), [])
        self.assert_adds_up()

    def kill_at(self, at: int, delivered: bool) -> None:
        """Run a pass in a process that is killed at its request number *at*, which arrives or does not."""
        requests = itertools.count(1)
        process: list[int] = []
        started = threading.Event()

        def kill(line: str) -> None:
            if next(requests) == at:
                started.wait(SOON)
                os.kill(process[0], signal.SIGKILL)
                ended.wait(SOON)
                if not delivered:
                    raise OSError

        ended = threading.Event()
        self.proxy.on_request = kill
        process.append(self.nursery.start(self.path, self.proxy.url, self.key, WAIT))
        started.set()
        self.nursery.wait(process[0])
        ended.set()
        self.proxy.on_request = None
        self.proxy.settle()
