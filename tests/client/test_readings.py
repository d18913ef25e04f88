"""Several streams read together."""

from __future__ import annotations

from connectordb import DatapointArray
from connectordb.client.readings import Readings
from tests.pictures.cases import DrawingCase


class Drawn(DrawingCase):
    """A picture of several streams."""

    def test_plot(self) -> None:
        """Each is a line with its name."""
        points = DatapointArray([{"t": 1e9, "d": 1}, {"t": 1e9 + 60, "d": 2}])
        axes = Readings({"a": points, "b": points}).plot()
        self.assertEqual(sorted(line.get_label() for each in axes.figure.axes for line in each.get_lines()), ["a", "b"])
