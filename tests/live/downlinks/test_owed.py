"""What is owed: what it looks like in a file, and the times of its copies."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.live.downlinks.owed import Debt, Owed
from connectordb.protocol import json_text, settle
from connectordb.protocol.answers import Answer
from connectordb.protocol.paths import Path

STREAM = Path.parse("mara/room/lamp")
times = st.floats(1e-6, 1e10)
points = st.lists(
    st.fixed_dictionaries({"t": times, "d": st.one_of(st.none(), st.booleans(), st.text(max_size=5))}), min_size=1
)
inserts = st.builds(
    Owed, st.just(STREAM), points.map(tuple), st.text(max_size=5), times, st.none() | st.integers(0, 99)
)


class OwedTests(unittest.TestCase):
    """One insert."""

    @given(inserts, times)
    def test_copies(self, owed: Owed, newest: float) -> None:
        """A copy with other times is later than the one before, and any of them is found, once."""
        moved = owed.above(newest).moved()
        for before, after in zip(owed.points, moved.points, strict=True):
            self.assertGreater(after["t"], before["t"])
            self.assertEqual(after["d"], before["d"])
        first, last = moved.span
        for stored in (owed, owed.above(newest), moved):
            self.assertIs(settle.settle(moved.sent, stored.points).outcome, settle.Outcome.STORED)
            self.assertTrue(all(first < point["t"] <= last for point in stored.points))

    @given(inserts, inserts, st.none() | st.integers(0, 10**9), st.booleans())
    def test_in_a_file(self, one: Owed, two: Owed, command: int | None, both: bool) -> None:
        """What was noted is read."""
        debt = Debt(command, one.moved(), two if both else None)
        self.assertEqual(Debt.from_json(json_text.loads(json_text.dumps(debt.to_json()))), debt)


class DebtTests(unittest.TestCase):
    """What is owed for a command."""

    def test_record(self) -> None:
        """The record says what was stored, and goes under the same name and time whoever writes it."""
        acknowledgement = Owed(STREAM, ({"t": 5.0, "d": 1},), "k", 0.0)
        record = Owed(STREAM, ({"t": 6.0, "d": Answer(3, answer=acknowledgement.points).value()},), "r", 0.0)
        debt = Debt(3, acknowledgement.above(9.0), record)
        paid = debt.acknowledged()
        assert paid.record is not None
        self.assertEqual(paid, debt.acknowledged())
        self.assertEqual(paid.record.points[0]["d"]["answer"], [{"t": 9.00001, "d": 1}])
        self.assertEqual((paid.record.key, paid.record.points[0]["t"]), ("r", 6.0))
        refused = debt.not_acknowledged("failed", "no")
        assert refused.record is not None
        self.assertEqual(Answer.read(refused.record.points[0]["d"]), Answer(3, outcome="failed", reason="no"))

    def test_nothing(self) -> None:
        """A debt of nothing is none."""
        acknowledgement = Owed(STREAM, ({"t": 5.0, "d": 1},), "k", 0.0)
        self.assertFalse(Debt(3))
        self.assertTrue(Debt(3, acknowledgement))
        self.assertFalse(Debt(3, acknowledgement).acknowledged())
