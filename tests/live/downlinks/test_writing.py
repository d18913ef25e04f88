"""What is owed is written once, whatever befalls it."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.exceptions import (
    AuthenticationError,
    ConnectionFailed,
    ConnectorDBError,
    InvalidRequest,
    LocalProtocolError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    ServerError,
)
from connectordb.live.downlinks.owed import Owed
from connectordb.live.downlinks.writing import GivenUp, Writing, is_final
from connectordb.protocol.paths import Path
from connectordb.runtime.clock import Clock
from tests.support.clock import SteppedClock
from tests.support.command_cases import CommandCase

TROUBLES = ["ok", "lost", "unanswered", "away", "failing"]


class WritingCase(CommandCase):
    """A case with one insert to write."""

    def setUp(self) -> None:
        super().setUp()
        self.stopping = threading.Event()
        self.notes: list[Owed] = []

    def owed(self, *values: Any, t: float | None = None) -> Owed:
        """Return an insert of *values*."""
        now = time.time()
        begin = now if t is None else t
        points = tuple({"t": begin + number, "d": value} for number, value in enumerate(values))
        return Owed(self.path.stream, points, uuid.uuid4().hex, now)

    def write(self, owed: Owed, doubted: bool = False, **options: Any) -> Owed:
        """Write it, and check that it is stored as it says."""
        stored = Writing(self.line.server(**options), self.stopping).write(owed, self.notes.append, doubted)
        there = [(point["t"], point["d"]) for point in self.stream[:]]
        for point in stored.points:
            self.assertEqual(there.count((point["t"], point["d"])), 1)
        return stored


class KeyedTests(WritingCase):
    """To a server that knows inserts by name."""

    def setUp(self) -> None:
        super().setUp()
        if self.line.server().features().idempotency is None:
            self.skipTest("this one does not")

    def test_one_request(self) -> None:
        """Where nothing goes wrong it is one request."""
        self.write(self.owed(True))
        self.assertEqual(self.line.asked, [f"POST /crud/{self.stream.path}/data"])
        self.assertEqual(self.notes, [])

    def test_any_trouble(self) -> None:
        """Whatever befalls the first copies, it is stored once, with its time, without any look at the stream."""
        self.stream.insert("before")
        for trouble in TROUBLES:
            with self.subTest(trouble):
                owed = self.owed(trouble)
                self.line.troubles = [trouble, trouble, "unanswered"]
                self.assertEqual(self.write(owed).points, owed.points)
        self.assertEqual(self.stored(), ["before", *TROUBLES])
        self.assertEqual({request.split()[0] for request in self.line.asked}, {"POST"})

    def test_older(self) -> None:
        """Where the stream holds something newer, it gets that time, and says so; also if answers were lost."""
        for troubles in ([], ["unanswered"], ["lost", "unanswered", "unanswered"]):
            newest = time.time() + 10
            self.stream.insert_array([{"t": newest, "d": "newer"}], restamp=True)
            self.line.troubles = troubles
            stored = self.write(self.owed(str(troubles), "two"))
            self.assertGreaterEqual(stored.points[0]["t"], newest)
            self.assertEqual(self.notes[-1], stored)
        self.assertEqual(len(self.stored()), 9)

    def test_begun_before(self) -> None:
        """What may have been sent by a process before this one goes again under its name."""
        for sent in (True, False):
            owed = self.owed(sent)
            if sent:
                self.write(owed)
            self.write(owed, doubted=True)
        self.assertEqual(self.stored(), [True, False])

    def test_forgotten(self) -> None:
        """A name that the server may have forgotten by now is not relied on: the stream is read at its time."""
        clock = SteppedClock(time.time())
        for value, sent in (("sent", True), ("not sent", False)):
            owed = replace(self.owed(value), since=clock.wall() - 700_000)
            if sent:
                self.write(owed)
                owed = replace(owed, key="another")
            self.write(owed, doubted=True, clock=clock)
        self.assertEqual(self.stored(), ["sent", "not sent"])

    def test_no_room_for_names(self) -> None:
        """A server that takes no more names gets it without one; one that knows the name of another insert, too."""
        owed = self.owed("first")
        self.write(owed)
        other = replace(self.owed("second"), key=owed.key)
        self.write(other)
        self.assertEqual(self.stored(), ["first", "second"])
        self.assertIsNotNone(self.notes[-1].before)


class KeylessTests(WritingCase):
    """To a server that does not."""

    def setUp(self) -> None:
        super().setUp()
        self.line.keyed = False

    def test_requests(self) -> None:
        """The length is noted, then it is sent."""
        self.stream.insert(0)
        self.write(self.owed(True))
        self.assertEqual([request.split()[0] for request in self.line.asked], ["GET", "POST"])
        self.assertEqual([owed.before for owed in self.notes], [1])

    def test_any_trouble(self) -> None:
        """Whatever befalls the first copies, it is stored once."""
        self.stream.insert("before")
        for trouble in TROUBLES:
            for values in ([trouble], [f"{trouble} 1", f"{trouble} 2"]):
                self.line.troubles = [trouble, "away", trouble, "unanswered"]
                self.write(self.owed(*values))
                self.assertEqual(self.stored()[-len(values) :], values)
        self.assertEqual(len(self.stored()), 1 + 3 * len(TROUBLES))

    @settings(max_examples=25)
    @given(st.lists(st.sampled_from([*TROUBLES, "late"]), max_size=4), st.booleans(), st.booleans())
    def test_any_order(self, troubles: list[str], doubted: bool, keyed: bool) -> None:
        """So it is for any run of troubles, and copies that are later than was waited for are refused as older."""
        self.line.keyed = keyed
        self.line.troubles = list(troubles)
        before = len(self.stored())
        owed = self.owed("x")
        self.write(owed, doubted)
        self.line.arrive()
        self.assertEqual(len(self.stored()), before + 1)
        self.line.troubles.clear()

    def test_equal_points(self) -> None:
        """An equal point of the same time that was there before is not taken for it."""
        t = time.time()
        self.write(self.owed("same", t=t))
        self.line.troubles = ["lost"]
        self.write(self.owed("same", t=t))
        self.assertEqual(self.stored(), ["same", "same"])

    def test_long_stream(self) -> None:
        """It is found behind more than a page of what others wrote meanwhile."""
        owed = replace(self.owed("x"), before=0)
        self.write(owed)
        self.stream.insert_array([{"t": time.time() + 1 + n / 1e4, "d": n} for n in range(10_500)])
        self.write(owed, doubted=True)
        self.assertEqual(len(self.stream), 10_501)

    def test_shorter_stream(self) -> None:
        """In a stream that was made anew it is written again: there it is not."""
        owed = replace(self.owed("x"), before=10)
        self.write(owed, doubted=True)
        self.assertEqual(self.stored(), ["x"])

    def test_ephemeral(self) -> None:
        """Where nothing can be looked for it is not sent again."""
        self.stream.set({"ephemeral": True})
        self.line.troubles = ["unanswered"]
        with self.assertRaisesRegex(OutcomeUnknown, "ephemeral"):
            Writing(self.line.server(), self.stopping).write(self.owed(1), self.notes.append, False)
        self.assertEqual(sum(request.startswith("POST") for request in self.line.asked), 1)


class EndTests(WritingCase):
    """It ends: refused for good, or given up."""

    def test_refused(self) -> None:
        """What the server will never take is refused at once."""
        self.stream.schema = {"type": "boolean"}
        for keyed in (True, False):
            self.line.keyed = keyed
            with self.assertRaises(InvalidRequest):
                self.write(self.owed("no boolean"))
            with self.assertRaises((NotFound, InvalidRequest)):
                self.write(replace(self.owed(1), path=Path.parse(f"{self.stream.device.path}/nosuch")))

    def test_last_attempt(self) -> None:
        """Once it is to stop, it tries once more, and gives up."""
        attempts = 4
        for keyed in (True, False):
            self.line.keyed = keyed
            self.line.asked.clear()
            self.stopping.clear()

            class Stopping(Clock):
                """Somebody closes during the fourth wait."""

                waits = 0

                def wait(self, event: threading.Event, seconds: float) -> bool:
                    self.waits += 1
                    if self.waits == attempts:
                        event.set()
                    return event.is_set()

            self.line.troubles = ["away"] * 20
            with self.assertRaisesRegex(GivenUp, "before the end: there is no server"):
                self.write(self.owed(1), clock=Stopping())
            self.assertEqual(sum(request.startswith("POST") for request in self.line.asked), attempts + 1)
            self.line.troubles.clear()

    def test_stopped_while_waiting(self) -> None:
        """The wait for a late copy ends at once."""
        self.line.keyed = False
        self.line.troubles = ["lost"]
        self.stopping.set()
        with self.assertRaises(GivenUp):
            self.write(self.owed(1), late_copy=3600)

    def test_closed(self) -> None:
        """A connection that was closed is the end."""
        cdb = self.device()
        self.line._session = cdb._session
        cdb.close()
        with self.assertRaisesRegex(GivenUp, "closed"):
            self.write(self.owed(1))

    def test_final(self) -> None:
        """What another attempt cannot change is final: what the server itself says, and no trouble of its own."""
        said: dict[str, Any] = {"status": 403, "ref": "of the server"}
        cases: tuple[tuple[ConnectorDBError, bool], ...] = (
            (NotFound("The requested stream was not found.", **said), True),
            (PermissionDenied("Write access to stream data denied.", **said), True),
            (LocalProtocolError("no"), True),
            (NotFound("a page of a proxy", status=404), False),
            (PermissionDenied("too many", status=429, ref="of the server"), False),
            (InvalidRequest("pq: sorry, too many clients already", **said), False),
            (AuthenticationError("Login Failed", status=401, ref="of the server"), False),
            (ServerError("starting", status=503), False),
            (ConnectionFailed("away"), False),
        )
        for error, final in cases:
            with self.subTest(error):
                self.assertIs(is_final(error), final)

    def test_insists(self) -> None:
        """A request is made until it is answered, or refused."""
        answers: list[Exception] = [ConnectionFailed("away"), ConnectionFailed("away")]
        made: list[int] = []

        def request() -> None:
            made.append(1)
            if answers:
                raise answers.pop(0)

        writing = Writing(self.line.server(), self.stopping)
        writing.insist(self.path, request)
        self.assertEqual(len(made), 3)
        answers.append(NotFound("no", status=404, ref="of the server"))
        with self.assertRaises(NotFound):
            writing.insist(self.path, request)
        self.stopping.set()
        answers += [ConnectionFailed("away")] * 3
        with self.assertRaises(GivenUp):
            writing.insist(self.path, request)
