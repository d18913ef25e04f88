"""Tests of `connectordb.live.handing.handing`."""

from __future__ import annotations

from unittest import mock

from connectordb.exceptions import PipeScriptError, StorageFull
from connectordb.live.handing.batch import Batch
from connectordb.live.handing.handing import Points, Transformed
from connectordb.live.remembering.place import Place
from connectordb.live.remembering.remember import Remembered
from connectordb.pipescript import Script
from connectordb.protocol.paths import Path
from tests.support.case import Case

STREAM = Path.parse("mara/lamp/light")


class PointsTests(Case):
    """What is remembered of points."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder() / "light.place"
        self.errors: list[Exception] = []

    def tell(self, error: Exception, logged: bool = False) -> None:
        """Note it."""
        self.errors.append(error)

    def points(self) -> Points:
        """Return a handler with the file, that leaves it with the test."""
        points = Points(str(STREAM), self.tell, Remembered(self.file, STREAM, "http://x"))
        self.addCleanup(points.close)
        return points

    def test_after_the_callback(self) -> None:
        """The place is that behind the batch, once the callback has returned or raised, whatever it did to its list."""
        points = self.points()
        batch = Batch([{"t": 1.0, "d": 1}, {"t": 2.0, "d": 2}], STREAM, 7)

        def act(given: Batch) -> None:
            self.assertIsNone(points.resume())
            batch.clear()

        points.handle(batch, act, "x", None, None)
        self.assertEqual(points.resume(), Place(9, 2.0, "x"))
        with self.assertLogs("connectordb.live.handing.handing", "ERROR"):
            points.handle(Batch([{"d": 3}], STREAM, 9), lambda batch: 1 / 0, "x", None, None)
        self.assertEqual((points.resume(), len(self.errors)), (Place(10, 0.0, "x"), 1))
        points.close()
        self.assertEqual(self.points().resume(), Place(10, 0.0, "x"))

    def test_closed_while_it_runs(self) -> None:
        """Closed by the callback itself, or by another while it runs: the batch is handled, and so it is remembered."""
        points = self.points()
        points.handle(Batch([{"t": 1.0, "d": 1}], STREAM, 0), lambda batch: points.close(), "x", None, None)
        self.assertEqual(self.errors, [])
        self.assertEqual(self.points().resume(), Place(1, 1.0, "x"))

    def test_before_the_first(self) -> None:
        """Where it begins is remembered, so that what comes while the program is away is not missed; later only if it moved."""
        points = self.points()
        points.stands_at(Place(5), moved=False)
        points.stands_at(Place(7), moved=False)
        self.assertEqual(points.resume(), Place(5))
        points.stands_at(Place(0, None, "y"), moved=True)
        self.assertEqual(points.resume(), Place(0, None, "y"))

    def test_cannot_be_saved(self) -> None:
        """That is told, and the points go on."""
        points = self.points()
        with mock.patch.object(Remembered, "save", side_effect=StorageFull("full")):
            points.handle(Batch([{"t": 1.0, "d": 1}], STREAM, 0), lambda batch: None, "", None, None)
        self.assertEqual([str(error) for error in self.errors], ["full"])

    def test_nothing_remembered(self) -> None:
        """Without a file there is nothing to save; and points without a place have none to be saved."""
        points = Points(str(STREAM), self.tell)
        points.stands_at(Place(5), moved=True)
        points.handle(Batch([{"t": 1.0, "d": 1}], STREAM, 0), lambda batch: None, "", None, None)
        self.points().handle(Batch([{"t": 1.0, "d": 1}], STREAM), lambda batch: None, "", None, None)
        points.close()
        self.assertEqual((points.resume(), self.errors), (None, []))


class TransformedTests(Case):
    """A script that runs here."""

    def test_transformed(self) -> None:
        """It runs over all batches as one sequence; what it makes has no place; a stream that is another one begins anew."""
        errors: list[Exception] = []
        handed: list[Batch] = []
        transformed = Transformed(STREAM, Script("sum"), lambda error, logged=False: errors.append(error))
        self.addCleanup(transformed.close)
        transformed.handle(
            Batch([{"t": 1.0, "d": 1}, {"t": 2.0, "d": 2}], STREAM, 7, True), handed.append, "", None, None
        )
        transformed.handle(Batch([{"t": 3.0, "d": 3}], STREAM, 9), handed.append, "", None, None)
        self.assertEqual(
            [(b["d"], b.first_index, b.caught_up) for b in handed], [([1, 3], None, True), ([6], None, False)]
        )
        transformed.handle(Batch([{"t": 4.0, "d": "x"}], STREAM, 10), handed.append, "", None, None)
        self.assertIsInstance(errors[0], PipeScriptError)
        transformed.handle(Batch([{"t": 5.0, "d": 5}], STREAM, 11), handed.append, "", None, None)
        transformed.stands_at(Place(0), moved=True)
        transformed.handle(Batch([{"t": 6.0, "d": 6}], STREAM, 0), handed.append, "", None, None)
        self.assertEqual([b["d"] for b in handed[2:]], [[5], [6]])
        self.assertIsNone(transformed.resume())
