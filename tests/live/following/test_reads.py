"""Tests of `connectordb.live.following.reads`."""

from __future__ import annotations

from connectordb.exceptions import NotFound, PermissionDenied
from connectordb.live.following.reads import Reads, Seen, as_refusal
from connectordb.protocol import rest
from connectordb.protocol.feed import Failed
from tests.support.live_cases import LiveCase


class ReadsTests(LiveCase):
    """A stream by index, on a real server."""

    def test_reads(self) -> None:
        """Ranges inside, at and beyond the end; the length; the index behind a time."""
        reads = Reads(self.lamp.call, self.heat)
        self.assertEqual((reads.look(), reads.points(0, 5), reads.index_after(5.0, 0)), (Seen(0), [], 0))
        points = [{"t": float(t), "d": t} for t in (1, 2, 2, 2, 5, 8)]
        self.lamp.call(rest.insert(self.heat, points))
        with self.subTest("six points"):
            self.assertEqual((reads.look(), reads.length()), (Seen(6), 6))
            self.assertEqual(
                (reads.points(1, 3), reads.points(5, 99), reads.points(6, 99)), (points[1:3], points[5:], [])
            )
            self.assertIsNone(reads.points(7, 99))
            after = [reads.index_after(t, 6) for t in (0.0, 1.0, 1.5, 2.0, 7.9, 8.0, 9.0)]
            self.assertEqual(after, [0, 1, 1, 4, 5, 6, 6])
            sizes: list[int] = []
            reads.points(0, 1, sizes.append)
            reads.points(0, 6, sizes.append)
            self.assertTrue(0 < sizes[0] < sizes[1] < 6 * sizes[0], sizes)

    def test_not_there(self) -> None:
        """What is not there is said as REST says it, whichever way it was asked."""
        with self.assertRaises(NotFound):
            Reads(self.lamp.call, self.lamp.path / "nosuch").look()
        told = as_refusal(Failed(1, 403, "The requested stream was not found.", "ref"), "mara/lamp/nosuch")
        self.assertIsInstance(told, NotFound)
        self.assertEqual((told.ref, told.status), ("ref", 403))
        self.assertNotIsInstance(told, PermissionDenied)
