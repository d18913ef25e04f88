"""Tests that every public call has an entry in the table of calls, or a reason why it needs none."""

from __future__ import annotations

import unittest

from .calls import CALLS
from .surface import LEFT_OUT, members


class SurfaceTests(unittest.TestCase):
    """What the classes have is what the table of calls has."""

    def test_every_member_is_a_call_or_left_out_with_a_reason(self) -> None:
        there, called = set(members()), {member for call in CALLS.values() for member in call.of}
        self.assertEqual(
            sorted(there - called - set(LEFT_OUT)),
            [],
            "new: say in tests/call_faults/calls how they are called, or in surface.py why they touch no network",
        )
        self.assertEqual(sorted((called | set(LEFT_OUT)) - there), [], "these are no members any more")

    def test_nothing_is_both(self) -> None:
        called = {member for call in CALLS.values() for member in call.of}
        self.assertEqual(sorted(called & set(LEFT_OUT)), [])

    def test_a_member_of_a_common_base_is_one_of_each_class(self) -> None:
        self.assertLessEqual({"User.refresh", "Device.refresh", "Stream.refresh"}, set(members()))
        self.assertNotIn("ConnectorDB.refresh", members())

    def test_what_is_inherited_but_made_anew_is_a_member(self) -> None:
        self.assertIn("ConnectorDB.__getitem__", members())


if __name__ == "__main__":
    unittest.main()
