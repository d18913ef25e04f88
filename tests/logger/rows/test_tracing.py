"""Tests of `connectordb.logger.rows.tracing`."""

from __future__ import annotations

from connectordb.logger.records import Coming
from connectordb.logger.rows.store import Store
from connectordb.logger.rows.tracing import Trace
from tests.support.case import Case
from tests.support.logger_cases import add, noted, waiting


class TracingTests(Case):
    """Whatever becomes of a row, it is known by the id that it was accepted under."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")

    def append(self, *times: float) -> list[int]:
        return [self.store.points.append(self.stream, t, str(t), 0)[0] for t in times]

    def states(self, ids: list[int]) -> list[str]:
        return [self.store.tracing.look(id).state for id in ids]

    def test_states(self) -> None:
        """Waiting; then stored, set aside with the reason, or dropped."""
        ids = self.append(1, 2, 3, 4)
        self.assertEqual(self.store.tracing.look(ids[1]), Trace(ids[1], "waiting", 2.0))
        rows = waiting(self.store, self.stream)
        self.store.notes.begin(Coming(noted(self.stream, rows), 3, 1000))
        self.store.notes.resolve(self.stream, ids[:2], ids[2:3], "no", 9.0)
        self.assertEqual(self.states(ids), ["stored", "stored", "set aside", "waiting"])
        self.assertEqual(self.store.tracing.look(ids[2]), Trace(ids[2], "set aside", 3.0, "no"))
        self.store.notes.clear()
        self.assertEqual(self.states(ids), ["stored", "stored", "set aside", "dropped"])
        self.store.aside.retry([ids[2]], restamp=True)
        self.assertEqual(self.states(ids), ["stored", "stored", "waiting", "dropped"])
        self.assertTrue(self.store.tracing.look(ids[3]).is_final)

    def test_held(self) -> None:
        """What a server confirmed that may forget it is stored, until it turns out to be lost."""
        ids = self.append(1, 2)
        note = noted(self.stream, waiting(self.store, self.stream))
        self.store.notes.begin(Coming(note, 2, 1000))
        self.store.held.hold(note, ids[-1])
        self.assertEqual(self.states(ids), ["stored", "stored"])
        self.assertFalse(self.store.tracing.look(ids[0]).is_final)
        self.store.held.lose(self.stream, [ids[0]])
        self.assertEqual(self.states(ids), ["waiting", "stored"])

    def test_moved(self) -> None:
        """Rows behind which an earlier point was put are found under their new ids, however often."""
        ids = self.append(10, 20, 30, 40)
        first, _, _ = self.store.points.append_at(self.stream, 25.0, "25", 5.0)
        second, _, _ = self.store.points.append_at(self.stream, 15.0, "15", 5.0)
        found = [self.store.tracing.look(id) for id in [*ids, first, second]]
        self.assertEqual([fate.t for fate in found], [10, 20, 30, 40, 25, 15])
        self.assertEqual({fate.state for fate in found}, {"waiting"})
        self.store.notes.clear()
        self.assertEqual(self.states([*ids, first, second]), ["dropped"] * 6)
