"""Several streams read together."""

from __future__ import annotations

import copy
import pickle

from connectordb import DatapointArray
from connectordb.client.readings import Readings
from tests.pictures.cases import DrawingCase
from tests.support.target import TargetCase, new_name


class Drawn(TargetCase, DrawingCase):
    """A picture of several streams."""

    def test_plot(self) -> None:
        """Each is a line with its name."""
        points = DatapointArray([{"t": 1e9, "d": 1}, {"t": 1e9 + 60, "d": 2}])
        axes = Readings({"a": points, "b": points}).plot()
        self.assertEqual(sorted(line.get_label() for each in axes.figure.axes for line in each.get_lines()), ["a", "b"])

    def test_units(self) -> None:
        """Streams know what they count, as long as the connection is there, and then it is told that they do not; what a transform makes counts nothing."""
        cdb = self.connect(self.device_key)
        names = [new_name(), new_name()]
        for name, unit in zip(names, ("°C", "W"), strict=True):
            cdb[name].create({"type": "number", "unit": unit})
            cdb[name].insert(5)
        read, changed = cdb.read(names), cdb.read(names, transform="$ + 1")
        self.assertEqual([each.get_ylabel() for each in read.plot().figure.axes], ["°C", "W"])
        copied = pickle.loads(pickle.dumps(read))
        self.assertEqual((copied, type(copied), copy.copy(read)), (read, Readings, read))
        again = cdb.read(names)
        cdb.close()
        for readings in (changed, copied):
            self.assertEqual([each.get_ylabel() for each in readings.plot().figure.axes], [""])
        with self.assertLogs("connectordb.client.readings", "WARNING") as told:
            self.assertEqual([each.get_ylabel() for each in again.plot().figure.axes], [""])
        self.assertRegex(told.output[0], "a picture without units: .* was closed")
