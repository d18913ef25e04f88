"""Points as columns."""

from __future__ import annotations

from typing import Any
from unittest import mock

from hypothesis import given

from connectordb.frames import Columns, read_pieces, wire_columns
from connectordb.protocol.constants import COLUMNS_LIMIT
from connectordb.server.handlers import Kind
from connectordb.server.handlers.data import insert, read

from ...frames.cases import POINTS, needs_frames
from ...frames.test_columns import seen
from .case import HandlerCase

PLAIN, OWNER = "mara/lamp/plain", "mara/lamp"


@needs_frames
class AsColumns(HandlerCase):
    """What is answered to who asks for columns."""

    def answered(self, i1: int, i2: int, path: str = PLAIN) -> tuple[Kind, bytes]:
        """Return the answer's kind and its body."""
        reply = self.ask(read, path, query={"i1": str(i1), "i2": str(i2)}, columns=True)
        return reply.kind, self.whole(reply)

    @given(POINTS)
    def test_the_same(self, points: list[dict[str, Any]]) -> None:
        """Whatever the values are, columns and JSON lead to the same arrays, page by page."""
        series = self.series(PLAIN)
        self.write(lambda writer: writer.clear(series))
        self.ask(insert, PLAIN, sorted(points, key=lambda point: point["t"]), who=OWNER)
        for size in (3, 12):
            bounds = [(first, min(first + size, len(points))) for first in range(0, len(points), size)]
            asked = [self.answered(*bound)[1] for bound in bounds]
            plain = [self.whole(self.ask(read, PLAIN, query={"i1": str(a), "i2": str(b)})) for a, b in bounds]
            found, expected = Columns.join(read_pieces(asked)), Columns.join(read_pieces(plain))
            self.assertEqual(seen(found), seen(expected))
            if not isinstance(found.values, dict) and not isinstance(expected.values, dict):
                self.assertEqual(found.values.dtype, expected.values.dtype)

    def test_what_is_which(self) -> None:
        """Numbers are columns; where there is anything else, or nothing, or too much, it is JSON."""
        self.ask(insert, PLAIN, [{"t": k, "d": k / 4} for k in range(1, 21)], who=OWNER)
        self.ask(insert, PLAIN, [{"t": 21, "d": "x"}, {"t": 22, "d": None}, {"t": 23, "d": 5}], who=OWNER)
        series = self.series(PLAIN)
        self.write(lambda writer: writer.insert(series, [{"t": 24.0, "d": 6, "o": "mara/remote"}], False))
        for i1, i2, kind in (
            (0, 20, Kind.COLUMNS),
            (0, 21, Kind.JSON),
            (21, 23, Kind.JSON),
            (22, 23, Kind.COLUMNS),
            (22, 24, Kind.JSON),
            (5, 5, Kind.JSON),
        ):
            with self.subTest((i1, i2)):
                self.assertEqual(self.answered(i1, i2)[0], kind)
        self.assertEqual(self.ask(read, PLAIN, query={"i1": "0", "i2": "20"}).kind, Kind.JSON)
        made = self.ask(read, PLAIN, query={"i1": "0", "i2": "20", "transform": "$ > 2"}, columns=True)
        self.assertEqual(made.kind, Kind.JSON)
        with mock.patch.object(wire_columns, "is_installed", return_value=False):
            self.assertEqual(self.answered(0, 20)[0], Kind.JSON)

    def test_many(self) -> None:
        """As many as are allowed are read piece by piece; one more is JSON."""
        points = [{"t": float(k), "d": k if k < 40_000 else k + 0.5} for k in range(1, COLUMNS_LIMIT + 2)]
        series = self.series(PLAIN)
        self.write(lambda writer: writer.insert(series, points, False))
        kind, body = self.answered(0, COLUMNS_LIMIT)
        self.assertEqual(kind, Kind.COLUMNS)
        found = Columns.join(read_pieces([body]))
        self.assertEqual(found.values.tolist(), [float(point["d"]) for point in points[:COLUMNS_LIMIT]])
        self.assertEqual(found.times[-1], COLUMNS_LIMIT)
        self.assertEqual(self.answered(0, COLUMNS_LIMIT + 1)[0], Kind.JSON)
