"""Restamping: which values it damages, which times it gives, and in which order an insert by hand asks."""

from __future__ import annotations

import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import (
    AuthenticationError,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    OutcomeUnknown,
    ServerError,
)
from connectordb.protocol import json_text, rest, restamp
from connectordb.protocol.paths import Path

PATH = Path.parse("mara/lamp/light")


def nested(levels: int) -> Any:
    """Return a number inside of so many lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


class DamageTests(unittest.TestCase):
    """Values that a real 0.3 server was seen to damage when it moved their time, and values that it kept."""

    def test_kept(self) -> None:
        """What comes out of restamping as it went in."""
        for value in (None, True, 0, "", 0.1, [], [[]], [0], {"a": 1}, {"a": []}, nested(15), {"a": nested(14)}):
            with self.subTest(value):
                self.assertFalse(restamp.is_damaged_by_restamping(value))

    def test_damaged(self) -> None:
        """Nulls inside, empty objects anywhere, and depth."""
        for value in (
            {},
            [None],
            [1, None],
            [1, None, 3],
            {"a": None},
            {"a": {}},
            [{}],
            ({},),
            nested(16),
            [nested(15)],
        ):
            with self.subTest(value):
                self.assertTrue(restamp.is_damaged_by_restamping(value))


class TimeTests(unittest.TestCase):
    """The server's rule for times."""

    def test_examples(self) -> None:
        """An integral newest time gets a step, another is taken as it is; what is later than that stays."""
        for newest, times, expected in (
            (5.0, [3.0], [5.00001]),
            (5.00001, [5.0], [5.00001]),
            (5.0, [5.0], [5.0]),
            (5.0, [6.0, 7.0], [6.0, 7.0]),
            (5.5, [1.0, 5.5, 6.0], [5.5, 5.5, 6.0]),
            (None, [1.0], [1.0]),
            (None, [-1.0, 2.0], [0.00001, 2.0]),
        ):
            with self.subTest(newest=newest, times=times):
                moved = restamp.restamped([{"t": time, "d": 0} for time in times], newest)
                self.assertEqual([point["t"] for point in moved], expected)

    @given(st.lists(st.floats(-1e9, 1e9), max_size=8), st.none() | st.floats(0, 1e9))
    def test_acceptable(self, times: list[float], newest: float | None) -> None:
        """Ordered points stay ordered, keep their values, and none is older than what is stored."""
        points = [{"t": time, "d": number} for number, time in enumerate(sorted(times))]
        moved = restamp.restamped(points, newest)
        stamps = [point["t"] for point in moved]
        self.assertEqual([point["d"] for point in moved], [point["d"] for point in points])
        self.assertEqual(stamps, sorted(stamps))
        self.assertTrue(all(stamp >= (newest or 0.0) for stamp in stamps))


class Server:
    """Answers an insert as a 0.3 server does; may lose the answer, or the request before it."""

    def __init__(self, stored: list[dict[str, Any]] | None = None) -> None:
        self.stored = list(stored or [])
        self.asked: list[str] = []
        self.lose: list[str] = []
        self.others: list[float] = []

    def __call__(self, request: rest.Request[Any]) -> Any:
        self.asked.append(request.method)
        fault = self.lose.pop(0) if self.lose else ""
        if fault == "away":
            raise ConnectionFailed("nobody there")
        if request.method == "GET":
            if fault:
                raise ConnectionFailed("the read broke")
            points = [dict(point) for point in self.stored[int(request.parameters["i1"]) :]]
            if self.others:
                self.stored.append({"t": self.others.pop(0), "d": "another writer"})
            return points
        points = json_text.loads(request.body or b"")
        newest = self.stored[-1]["t"] if self.stored else None
        if request.method == "PUT":
            points = restamp.restamped(points, newest)
        elif points[0]["t"] < (newest or 0):
            raise Conflict("Greater timestamp already exists for the stream. Insert Failed.", status=403)
        if fault == "full":
            raise ServerError("The server's disk is full; nothing was stored.", status=507, ref="r")
        if fault == "schema":
            raise InvalidRequest("At least one datapoint did not conform", status=403)
        if fault != "request":
            self.stored += points
        if fault:
            raise OutcomeUnknown("no answer")
        return None


class InsertTests(unittest.TestCase):
    """One insert by hand."""

    def test_restamped_by_the_server(self) -> None:
        """A value that restamping keeps goes by PUT, once."""
        server = Server([{"t": 5.0, "d": 0}])
        restamp.insert(server, PATH, [{"t": 3.0, "d": True}])
        self.assertEqual(server.asked, ["PUT"])
        self.assertEqual(server.stored[-1], {"t": 5.00001, "d": True})

    def test_posted(self) -> None:
        """A value that restamping would damage goes by POST, and if it is too old again with a time that is not."""
        server = Server([{"t": 5.0, "d": 0}])
        restamp.insert(server, PATH, [{"t": 6.0, "d": {}}])
        self.assertEqual(server.asked, ["POST"])
        restamp.insert(server, PATH, [{"t": 3.0, "d": [None]}])
        self.assertEqual(server.asked, ["POST", "POST", "GET", "POST"])
        self.assertEqual(server.stored[1:], [{"t": 6.0, "d": {}}, {"t": 6.00001, "d": [None]}])

    def test_faster_writers(self) -> None:
        """Another writer between the read and the second POST costs one more round; for ever is an error."""
        server = Server([{"t": 5.0, "d": 0}])
        server.others = [7.0, 9.0]
        restamp.insert(server, PATH, [{"t": 3.0, "d": {}}])
        self.assertEqual(server.stored[-1], {"t": 9.00001, "d": {}})
        server.others = [20.0 + number for number in range(20)]
        with self.assertRaises(Conflict):
            restamp.insert(server, PATH, [{"t": 3.0, "d": {}}])

    def test_refused(self) -> None:
        """Another refusal goes on to the caller."""
        server = Server()
        server.lose = ["schema"]
        with self.assertRaises(AuthenticationError):
            restamp.insert(server, PATH, [{"t": 3.0, "d": {}}])
        self.assertEqual(server.asked, ["POST"])

    def test_full(self) -> None:
        """A server that is full has stored nothing, and says so: nothing is looked for."""
        server = Server()
        server.lose = ["full"]
        with self.assertRaises(ServerError) as caught:
            restamp.insert(server, PATH, [{"t": 6.0, "d": True}])
        self.assertNotIsInstance(caught.exception, OutcomeUnknown)
        self.assertEqual(server.asked, ["PUT"])

    def test_lost_answer(self) -> None:
        """A lost answer is settled by reading: the points are there."""
        for value in (True, {}):
            with self.subTest(value):
                server = Server([{"t": 5.0, "d": 0}])
                server.lose = ["answer"]
                restamp.insert(server, PATH, [{"t": 6.0, "d": value}])
                self.assertEqual(server.asked[1:], ["GET"])
                self.assertEqual(len(server.stored), 2)

    def test_unknown(self) -> None:
        """What is not there may still arrive, and what was moved looks like anybody's: nothing is sent again."""
        for time, faults in ((6.0, ["request"]), (3.0, ["answer"]), (6.0, ["answer", "the read too"])):
            with self.subTest(faults):
                server = Server([{"t": 5.0, "d": 0}])
                server.lose = list(faults)
                with self.assertRaises(OutcomeUnknown) as caught:
                    restamp.insert(server, PATH, [{"t": time, "d": True}])
                self.assertIn("mara/lamp/light", str(caught.exception))
                self.assertEqual(server.asked, ["PUT", "GET"])

    def test_away(self) -> None:
        """With the server away the first failure goes on to the caller."""
        server = Server()
        server.lose = ["away"]
        with self.assertRaises(ConnectionFailed) as caught:
            restamp.insert(server, PATH, [{"t": 6.0, "d": True}])
        self.assertNotIsInstance(caught.exception, OutcomeUnknown)
        self.assertIn("nobody there", str(caught.exception))
        self.assertEqual(server.asked, ["PUT"])
