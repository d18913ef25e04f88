"""Scripts that say their time zone."""

from __future__ import annotations

import unittest

from hypothesis import given

from connectordb.pipescript.parser import parse
from connectordb.pipescript.registry import TRANSFORMS
from connectordb.pipescript.tree import Node
from connectordb.pipescript.zones import zoned

from .test_tree import NODES


class Zones(unittest.TestCase):
    """What would use the local zone names one."""

    def test_calls(self) -> None:
        """Without an argument, or with the one that means the local zone; another zone stays."""
        for text, wanted in (
            ("hour", 'hour("Asia/Tokyo")'),
            ("year('Local')", 'year("Asia/Tokyo")'),
            ("day('UTC')", 'day("UTC")'),
            ("week($)", "week($)"),
            ("ours", "ours"),
            ("map(weekday, count) | $", 'map(weekday("Asia/Tokyo"), count) | $'),
        ):
            with self.subTest(text):
                self.assertEqual(str(zoned(parse(text), "Asia/Tokyo")), wanted)

    def test_all_of_them(self) -> None:
        """Every transform whose first argument is a zone is one of them."""
        names = {name for name, each in TRANSFORMS.items() if str(zoned(parse(name), "Z")) != name}
        self.assertEqual(names, set("year month dayhour weekday monthday yearday yearmonth hour day week".split()))

    @given(NODES)
    def test_others_stay(self, node: Node) -> None:
        """A script that asks for no date is the same."""
        self.assertEqual(zoned(node, "Asia/Tokyo"), node)
