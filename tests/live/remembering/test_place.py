"""Tests of `connectordb.live.remembering.place`."""

from __future__ import annotations

from connectordb.live.remembering.place import Place
from tests.support.case import Case


class PlaceTests(Case):
    """A value."""

    def test_place(self) -> None:
        """The index is what it needs; two that say the same are the same."""
        self.assertEqual(Place(5), Place(5, None, ""))
        self.assertNotEqual(Place(5, 1.0), Place(5, 2.0))
