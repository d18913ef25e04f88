"""Which series stand together."""

from __future__ import annotations

from typing import Any

from connectordb.pictures import of_points, panels

from ..support.case import Case
from .cases import points


class Panels(Case):
    """By unit, or by what can be seen."""

    def names(self, value: dict[str, tuple[Any, Any]], units: dict[str, str] | None = None) -> list[list[str]]:
        """Return the panels of an object that has two values after each other."""
        schema = {"properties": {key: {"unit": unit} for key, unit in (units or {}).items()}}
        both = [{key: pair[number] for key, pair in value.items()} for number in (0, 1)]
        return [[each.name for each in panel.series] for panel in panels(of_points(points(*both), "", schema))]

    def test_units(self) -> None:
        """Those of one unit share a panel, however different; others do not, however alike."""
        self.assertEqual(
            self.names({"a": (1, 2), "b": (1, 2), "c": (1e6, 2e6)}, {"a": "m", "b": "s", "c": "m"}), [["a", "c"], ["b"]]
        )
        self.assertEqual(self.names({"a": (1, 2), "b": (1, 2)}, {"a": "m"}), [["a"], ["b"]])

    def test_without_units(self) -> None:
        """Those without a unit share one, unless one of them would become a flat line, which one that is flat already does not."""
        self.assertEqual(self.names({"a": (1, 2), "b": (5, 9), "c": (1, 1)}), [["a", "b", "c"]])
        self.assertEqual(
            self.names({"a": (20, 21), "p": (1000, 1001), "b": (22, 23), "q": (1010, 1011)}), [["a", "b"], ["p", "q"]]
        )
        self.assertEqual(self.names({"a": (20, 21), "z": (19, 19), "far": (9000, 9000)}), [["a", "z"], ["far"]])
        self.assertEqual(self.names({"a": (-1.7e308, 1.7e308), "b": (0, 1), "c": (None, None)}), [["a", "c"], ["b"]])

    def test_kinds(self) -> None:
        """Booleans share one; texts have one each."""
        self.assertEqual(
            self.names({"a": (True, False), "s": ("x", "y"), "n": (1, 2), "b": (True, True), "u": ("x", "y")}),
            [["a", "b"], ["s"], ["n"], ["u"]],
        )

    def test_none(self) -> None:
        """Nothing has no panel."""
        self.assertEqual(panels([]), [])
