"""How far commands have come."""

from __future__ import annotations

from connectordb.live.downlinks.ledger import Ledger
from connectordb.live.downlinks.owed import Debt, Owed
from connectordb.live.remembering.place import Place
from connectordb.live.remembering.remember import Remembered
from connectordb.protocol.paths import Path
from tests.support.case import Case

LAMP = Path.parse("mara/room/lamp/downlink")
POINT = {"t": 5.0, "d": 1}


class LedgerTests(Case):
    """The same in memory as in a file."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder() / "lamp.state"

    def reopened(self, ledger: Ledger | None = None) -> Ledger:
        """Return what the file says."""
        if ledger is not None:
            ledger.close()
        made = Ledger(Remembered(self.file, LAMP, "http://localhost"))
        self.addCleanup(made.close)
        return made

    def test_begun(self) -> None:
        """A command that was begun is known to whoever comes next, once, and by its index, time and series."""
        for index, point, series, same in (
            (3, POINT, "a", True),
            (4, POINT, "a", False),
            (3, {"t": 6.0, "d": 1}, "a", False),
            (3, POINT, "b", False),
            (3, POINT, "", True),  # the server says no more which stream it is
        ):
            ledger = self.reopened()
            ledger.rewind(Place(0))
            ledger.begin(3, POINT, "a")
            self.assertFalse(ledger.was_interrupted(3, POINT, "a"))
            ledger = self.reopened(ledger)
            self.assertEqual(ledger.was_interrupted(index, point, series), same)
            self.assertFalse(ledger.was_interrupted(index, point, series))
            ledger.close()

    def test_place(self) -> None:
        """What was begun begins the next process; what is behind is handled."""
        ledger = self.reopened()
        ledger.handled(Place(2, 1.0, "a"), True)
        ledger.begin(2, POINT, "a")
        self.assertEqual(self.reopened(ledger).place, Place(2, 1.0, "a"))

    def test_jump(self) -> None:
        """Where commands were passed over, what was begun counts."""
        ledger = self.reopened()
        ledger.handled(Place(2, 1.0, "a"), True)
        ledger.begin(9, POINT, "a")
        ledger = self.reopened(ledger)
        self.assertEqual(ledger.place, Place(9, None, "a"))
        self.assertTrue(ledger.has_handled(8, "a"))
        self.assertFalse(ledger.has_handled(9, "a") or ledger.has_handled(8, "b") or ledger.has_handled(None, "a"))

    def test_owed(self) -> None:
        """What is owed is found with the place behind its command, and is in doubt then."""
        debt = Debt(2, Owed(LAMP.stream, (POINT,), "key", 0.0))
        for made in (self.reopened(), Ledger()):
            made.owe(Place(3, 5.0), debt, True)
            self.assertEqual(
                (made.place, made.debt, made.doubted, made.outlives), (Place(3, 5.0), debt, False, made.outlives)
            )
            if made.outlives:
                made = self.reopened(made)
                self.assertEqual((made.place, made.debt, made.doubted), (Place(3, 5.0), debt, True))
            made.rewind(Place(0))
            self.assertEqual((made.place, made.debt), (Place(0), debt))
            made.change(Debt(2))
            self.assertIsNone(made.debt)
            if made.outlives:
                made = self.reopened(made)
                self.assertEqual((made.place, made.debt), (Place(0), None))
