"""Points as one array."""

from __future__ import annotations

from connectordb.exceptions import LocalProtocolError
from connectordb.frames import Columns, read_pieces, to_numpy

from ..support.case import Case
from .cases import needs_frames


@needs_frames
class Structured(Case):
    """Its fields."""

    def test_values(self) -> None:
        """Times and values are two fields."""
        array = to_numpy(Columns.of([{"t": 1.5, "d": 2}, {"t": 2.5, "d": 4}]))
        self.assertEqual(array["d"][array["t"] > 2].tolist(), [4])
        self.assertEqual(array.dtype.descr, [("t", "<f8"), ("d", "<i8")])

    def test_objects(self) -> None:
        """Each key is a field of the values."""
        array = to_numpy(Columns.of([{"t": 1.5, "d": {"x": 2, "y": "a"}}, {"t": 2.5, "d": {"x": 4}}]))
        self.assertEqual((array["d"]["x"].tolist(), array["d"]["y"].tolist()), ([2, 4], ["a", None]))

    def test_no_name(self) -> None:
        """A key that no field can be called is told."""
        with self.assertRaisesRegex(LocalProtocolError, "a key '' in the values"):
            to_numpy(Columns.of([{"t": 1.5, "d": {"": 2, "y": "a"}}]))

    def test_nothing(self) -> None:
        """No points are an array of none."""
        self.assertEqual((to_numpy(Columns.of([])).shape, to_numpy(Columns.join(read_pieces([]))).shape), ((0,), (0,)))
