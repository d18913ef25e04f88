"""What a mirror holds: the same as a list of all points, cut where a user would cut it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import LocalProtocolError
from connectordb.live.mirrors.kept import Keep, Kept
from tests.support.case import Case

#: Seconds between one point and the next, and between the last of a batch and the moment in which it comes.
STEPS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 10.0])
BATCHES = st.lists(st.tuples(st.lists(STEPS, max_size=5), STEPS), max_size=8)


def played(batches: list[tuple[list[float], float]], kept: Kept) -> tuple[list[dict[str, Any]], float]:
    """Have batches come, one after the other; return all of their points, and the time at the end."""
    time, everything = 1000.0, []
    for steps, pause in batches:
        points = []
        for step in steps:
            time += step
            points.append({"t": time, "d": len(everything) + len(points)})
        everything += points
        time += pause
        kept.add(points, time)
    return everything, time


class KeptTests(Case):
    """The points that stay."""

    @given(BATCHES, st.integers(1, 6))
    def test_number(self, batches: Any, number: int) -> None:
        """Of a number of points the last are kept, however they came."""
        kept = Kept(Keep.of(number))
        everything, now = played(batches, kept)
        self.assertEqual(kept.points(now), everything[-number:])
        self.assertEqual(kept.newest, everything[-1] if everything else None)

    @given(BATCHES, st.sampled_from([0.5, 1.0, 4.0, 100.0]), STEPS)
    def test_span(self, batches: Any, span: float, later: float) -> None:
        """Of a span those are kept that are younger, also if nothing comes; the newest is known whatever its age."""
        kept = Kept(Keep.of(span))
        everything, now = played(batches, kept)
        self.assertLessEqual(len(kept._points), len([point for point in everything if point["t"] > now - span]))
        now += later
        self.assertEqual(kept.points(now), [point for point in everything if point["t"] > now - span])
        self.assertEqual(kept.newest, everything[-1] if everything else None)

    @given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=8), st.integers(1, 8))
    def test_restored(self, batches: list[tuple[int, int]], number: int) -> None:
        """Where a stream goes on at an index that it had before, nothing is kept of what stood there."""
        kept, stream, value = Kept(Keep.of(number)), list[int](), 0
        held: list[int] = []
        for back, length in batches:
            first = max(0, len(stream) - back)
            del stream[first:]
            held = [other for other in held if other in stream]
            new = list(range(value, value + length))
            value += length
            stream += new
            held = [*held, *new][-number:]
            kept.add([{"t": 1.0, "d": other} for other in new], 1.0, first)
            self.assertEqual([point["d"] for point in kept.points(1.0)], held)
            self.assertEqual((kept.newest or {}).get("d"), stream[-1])

    def test_any_order(self) -> None:
        """Points that are not stored come with any times; of those of a span none is too old."""
        kept = Kept(Keep.of(10.0))
        kept.add([{"t": 100.0, "d": 1}, {"t": 50.0, "d": 2}, {"t": 101.0, "d": 3}], 102.0)
        self.assertEqual([point["d"] for point in kept.points(102.0)], [1, 3])

    def test_time_zero(self) -> None:
        """A point that says no time is one of 1970."""
        kept = Kept(Keep.of(10.0))
        kept.add([{"d": 1}], 5.0)
        self.assertEqual(kept.points(5.0), [{"d": 1}])
        self.assertEqual(kept.points(11.0), [])

    def test_clear(self) -> None:
        """Of a stream that was made anew nothing stays."""
        kept = Kept(Keep.of(3))
        kept.add([{"t": 1.0, "d": 1}], 1.0)
        kept.clear()
        self.assertEqual((kept.points(1.0), kept.newest), ([], None))


class KeepTests(Case):
    """What a user may ask for."""

    def test_kinds(self) -> None:
        """A number, seconds, a span; and where the subscription begins that brings them."""
        self.assertEqual((Keep.of(5), Keep.of(5).since), (Keep(5, None), -5))
        for span in (2.0, timedelta(seconds=2)):
            self.assertEqual((Keep.of(span), Keep.of(span).since), (Keep(None, 2.0), timedelta(seconds=2)))

    def test_nonsense(self) -> None:
        """Anything else is refused, and the message says what is expected."""
        for wrong in (0, -1, True, 0.0, -2.0, float("nan"), float("inf"), timedelta(0), "1 h", None):
            with self.subTest(wrong), self.assertRaisesRegex(LocalProtocolError, "keep="):
                Keep.of(wrong)  # type: ignore[arg-type]
