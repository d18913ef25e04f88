"""Tests of `connectordb.logger.aside`."""

from __future__ import annotations

from connectordb.logger.store import Store
from tests.support.case import Case
from tests.support.logger_cases import add, waiting


class AsideTests(Case):
    """What was set aside is kept with the reason."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")

    def test_points(self) -> None:
        """They come oldest first, with what they were and why; one that is no JSON as the text it is."""
        for text in ("1", "nan?"):
            self.store.points.append(self.stream, 1.0, text, 0)
        ids = [row.id for row in waiting(self.store, self.stream)]
        self.store.notes.resolve(self.stream, (), ids[1:], "not JSON", 8.0)
        self.store.notes.resolve(self.stream, (), ids[:1], "refused", 9.0)
        self.assertEqual(
            [(point.stream, point.d, point.reason, point.at) for point in self.store.aside.points()],
            [("a", "nan?", "not JSON", 8.0), ("a", 1, "refused", 9.0)],
        )
