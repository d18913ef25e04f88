"""Points that are read while they are taken, what scripts make of them, and arrays of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any
from unittest import mock

from connectordb.exceptions import PipeScriptError
from connectordb.server.config import Queries
from connectordb.server.handlers import Refusal, sources
from connectordb.server.handlers.data import insert
from connectordb.server.handlers.effort import Effort
from connectordb.server.handlers.scripts import Scripts
from connectordb.server.handlers.sources import Array, Source, text_of
from connectordb.server.handlers.stretches import WentAway
from connectordb.server.storage import Reader

from .case import HandlerCase

PLAIN = "mara/lamp/plain"
DEFAULT = Queries()


class Reading(HandlerCase):
    """Points, taken one by one."""

    def setUp(self) -> None:
        super().setUp()
        self.ask(insert, PLAIN, [{"t": t, "d": "x" * 100} for t in range(1, 901)], who="mara/lamp")
        self.fetched = 0

    def fetch(self, work: Callable[[Reader], Any], /) -> Any:
        """Read, and count."""
        self.fetched += 1
        return self.read(work)

    def test_no_more_is_read_than_is_taken(self) -> None:
        """But for what one reading brings."""
        source = Source(self.series(PLAIN), 0, 900)
        source.attach(self.fetch, 1000, Effort(60, 10**9))
        points = iter(source)
        self.assertEqual([point["t"] for point in islice(points, 3)], [1, 2, 3])
        self.assertEqual(self.fetched, 1)
        self.assertEqual([point["t"] for point in points], list(range(4, 901)))
        self.assertGreater(self.fetched, 1)

    def test_points_that_go_away(self) -> None:
        """Are missed, and that is told: a shorter answer would look whole."""
        series = self.series(PLAIN)
        source = Source(series, 0, 900)
        source.attach(self.fetch, 1000, Effort(60, 10**9))
        points = iter(source)
        next(points)
        self.write(lambda writer: writer.clear(series))
        with self.assertRaises(WentAway):
            list(points)

    def test_indices(self) -> None:
        """The index of what was read last is known, whatever a script makes of it."""
        scripts = Scripts(Queries())
        source = Source(self.series(PLAIN), 10, 900, scripts.add("if i % 3 == 0"), 2)
        scripts.compile()
        source.attach(self.fetch, 1000, Effort(60, 10**9))
        self.assertEqual([(source.index, point["t"]) for point in source], [(10, 11), (13, 14)])


class Computing(HandlerCase):
    """What is done to points."""

    def setUp(self) -> None:
        super().setUp()
        self.ask(insert, PLAIN, [{"t": t, "d": t if t < 6 else "x"} for t in range(1, 9)], who="mara/lamp")

    def array(self, text: str, *, begun: bool = False, queries: Queries = DEFAULT) -> Any:
        """Return what a script makes of the stream."""
        scripts = Scripts(queries)
        source = Source(self.series(PLAIN), 0, 8, scripts.add(text))
        made = Array(source, [source], scripts, [source] if begun else [])
        parts = []
        while (part := made.next(self.read)) is not None:
            parts.append(part)
        return json.loads(b"".join(parts))

    def test_results(self) -> None:
        """Come in pieces of any size."""
        for points in (1, 3, 1000):
            with mock.patch.object(sources, "_POINTS", points):
                self.assertEqual(self.array("if $ != 'x' | if $ > 3 | $ * 10"), [{"t": 4, "d": 40}, {"t": 5, "d": 50}])
                self.assertEqual(self.array("if $ == 'y'"), [])

    def test_failures(self) -> None:
        """Before the first piece they are refusals, of a stream's first point of another kind where that is asked for."""
        for text, begun, status in (("sum", False, 500), ("sum", True, 500), ("tshift(1) | $ + {'a': 1}", True, 403)):
            with self.subTest(text, begun=begun), self.assertRaises(Refusal) as caught:
                self.array(text, begun=begun)
            self.assertEqual(caught.exception.status, status)

    def test_bounds(self) -> None:
        """What a script takes is bounded by the configuration, before it runs or while it does."""
        for queries, text, status in (
            (Queries(script_characters=100), "$" + " + 1" * 30, 403),
            (Queries(peek_max=2), "next(3)", 403),
            (Queries(split_max=3), "map($, count)", 500),
            (Queries(string_max=3), "append", 500),
            (Queries(value_bytes=10), "{'a': $, 'b': $}", 500),
            (Queries(held_bytes=60), "append | new", 500),
            (Queries(seconds=1e-9), "$", 500),
            (Queries(answer_bytes=30), "{'a': $}", 500),
        ):
            with self.subTest(text), self.assertRaises(Refusal) as caught:
                self.array(text, queries=queries)
            self.assertEqual(caught.exception.status, status)

    def test_nobody_waits(self) -> None:
        """What is dropped is not computed any more, also where nothing comes of it."""
        scripts = Scripts(DEFAULT)
        source = Source(self.series(PLAIN), 0, 8, scripts.add("if $ == 'y'"))
        made = Array(source, [source], scripts)
        made.drop()
        with self.assertRaisesRegex(Refusal, "nobody waits"):
            made.next(self.read)

    def test_what_json_cannot_say(self) -> None:
        """Is a failure."""
        inf, nan = float("inf"), float("nan")
        for point in ({"t": 1.0, "d": inf}, {"t": 1.0, "d": nan}, {"t": nan, "d": 1.0}, {"t": 1.0, "d": {"a": [inf]}}):
            with self.subTest(point), self.assertRaisesRegex(PipeScriptError, "json: unsupported value"):
                text_of(point)
        self.assertEqual(text_of({"t": 0.0, "d": None}), b"{}")
        self.assertEqual(text_of({"t": -0.0, "d": 10.0}), b'{"d":10}')
