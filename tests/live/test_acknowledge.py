"""Acknowledging: what a callback's returned value writes."""

from __future__ import annotations

import unittest
from contextlib import nullcontext
from typing import Any

from connectordb.exceptions import LocalProtocolError, OutcomeUnknown
from connectordb.live.acknowledge import acknowledge, points_to_write
from connectordb.protocol import json_text, rest
from connectordb.protocol.paths import Path

COMMANDED = [{"t": 5.0, "d": True, "o": "mara/user"}, {"t": 6.0, "d": None}]
DOWNLINK = Path.parse("mara/lamp/light/downlink")


class PointsToWriteTests(unittest.TestCase):
    """Returned values."""

    def test_accepted(self) -> None:
        """True, a list, one datapoint, nothing."""
        for returned, expected in (
            (True, [{"t": 5.0, "d": True}, {"t": 6.0, "d": None}]),
            (False, []),
            (None, []),
            ([], []),
            ({"d": 3}, [{"t": 99.0, "d": 3}]),
            ({"d": None, "t": 7}, [{"t": 7, "d": None}]),
            ([{"d": 1, "t": 4.5, "o": "x"}, {"d": 2}], [{"t": 4.5, "d": 1}, {"t": 99.0, "d": 2}]),
        ):
            with self.subTest(returned):
                self.assertEqual(points_to_write(returned, COMMANDED, 99.0), expected)

    def test_refused(self) -> None:
        """Anything else is an error that says what was returned and what is expected."""
        for returned in (
            *(1, 0, "yes", ({"d": 1},), {"t": 1}, {}, [1], [[{"d": 1}]], {1: 2}),
            *({"d": float("nan")}, {"d": {1}}, {"d": 1, "t": "now"}, {"d": 1, "t": True}, {"d": 1, "t": float("inf")}),
        ):
            with self.subTest(returned), self.assertRaises(LocalProtocolError):
                points_to_write(returned, COMMANDED, 99.0)
        with self.assertRaisesRegex(LocalProtocolError, r"returned 'yes' \(str\): expected True"):
            points_to_write("yes", COMMANDED, 99.0)


class AcknowledgeTests(unittest.TestCase):
    """Writing it."""

    def test_own_device(self) -> None:
        """It goes to the stream itself, by PUT."""
        sent: list[rest.Request[Any]] = []

        def call(request: rest.Request[Any]) -> Any:
            sent.append(request)

        acknowledge(call, DOWNLINK, [{"t": 5.0, "d": True}], Path.parse("mara/lamp"))
        (request,) = sent
        self.assertEqual(
            (request.method, request.path, dict(request.parameters)), ("PUT", "/crud/mara/lamp/light/data", {})
        )
        self.assertEqual(json_text.loads(request.body or b""), [{"t": 5.0, "d": True}])

    def test_another_device(self) -> None:
        """Nobody else acknowledges: that would be one more command."""

        def call(request: rest.Request[Any]) -> Any:
            self.fail("nothing may be sent")

        with self.assertRaisesRegex(LocalProtocolError, "only 'mara/lamp' acknowledges"):
            acknowledge(call, DOWNLINK, [{"t": 5.0, "d": True}], Path.parse("mara/user"))

    def test_unknown_outcome(self) -> None:
        """If no answer comes it is looked for in the stream, and not written again."""
        points = [{"t": 5.0, "d": True}]
        for found in (True, False):
            sent: list[str] = []

            def call(request: rest.Request[Any], sent: list[str] = sent, found: bool = found) -> Any:
                sent.append(request.method)
                if request.inserts:
                    raise OutcomeUnknown("no answer")
                return [{"t": 1.0, "d": 0}, *(points if found else [])]

            with self.subTest(found=found), nullcontext() if found else self.assertRaises(OutcomeUnknown):
                acknowledge(call, DOWNLINK, points, Path.parse("mara/lamp"))
            self.assertEqual(sent, ["PUT", "GET"])
