"""Streams as arrays, frames, tables, pictures and files."""

from __future__ import annotations

import inspect
from unittest import mock

from connectordb import Device, Stream
from connectordb.frames.wire_columns import unpack
from connectordb.protocol.ranges import Range
from connectordb.query import Merge
from tests.pictures.cases import DrawingCase
from tests.support.case import Case

from .test_long_stream import POINTS, LongStreamCase


class Arguments(Case):
    """What methods that read a range are given; each of them writes it out."""

    def test_the_same(self) -> None:
        """Names, defaults and their order are the same everywhere, and types."""
        first, *others = (
            Stream.__call__,
            Stream.points,
            Stream.to_numpy,
            Stream.to_df,
            Stream.to_arrow,
            Stream.plot,
            Stream.pages,
        )
        others.append(Stream.points)
        several = Device.read, Device.to_df, Device.plot, Merge.addStream
        names = ("t1", "t2", "limit", "i1", "i2", "downlink", "transform")
        expected = [inspect.signature(first).parameters[name] for name in names]
        for method in (*others, Stream.to_parquet, Stream.to_csv, *several, Range.__init__):
            with self.subTest(method.__qualname__):
                left_out = "downlink" if method in (*several, Range.__init__) else ""
                shown = [each for each in inspect.signature(method).parameters.values() if each.name in names]
                wanted = [each for each in expected if each.name != left_out]
                self.assertEqual([each.replace(kind=wanted[0].kind) for each in shown], wanted)


class AsColumns(LongStreamCase):
    """As arrays, frames and tables."""

    def test_to_numpy(self) -> None:
        """The same as of the points at hand, with a range and with a transform."""
        array = self.stream.to_numpy(t1=1.6e9 + 3)
        expected = self.stream(t1=1.6e9 + 3)
        self.assertEqual((array["t"].tolist(), array["d"].tolist()), ([p["t"] for p in expected], expected.d()))
        self.assertEqual(array.tolist(), expected.to_numpy().tolist())
        self.assertEqual(self.stream.to_numpy(transform="if $ > 9")["d"].tolist(), [9.25, 9.5, 9.75])

    def test_columns_on_the_wire(self) -> None:
        """Who asks for columns gets the same array as who does not."""
        stream = self.filled([{"t": 1.6e9 + number, "d": number if number < 20 else "x"} for number in range(30)])
        for wanted in (False, True):
            with self.subTest(wanted), mock.patch("connectordb.frames.wire_columns.are_wanted", return_value=wanted):
                with mock.patch("connectordb.frames.columns.unpack", wraps=unpack) as unpacked:
                    self.assertEqual(stream.to_numpy(i2=20)["d"].tolist(), list(range(20)))
                    self.assertEqual(stream.to_numpy()["d"].tolist(), [*range(20), *["x"] * 10])
                    self.assertEqual(self.stream.to_numpy()["d"].tolist(), [point["d"] for point in POINTS])
                is_ours = stream._session.features.ws_id  # an original server knows no columns
                self.assertEqual(unpacked.call_count, 2 * (wanted and is_ours))

    def test_to_df(self) -> None:
        """Numbers are a column, objects several."""
        self.assertEqual(self.stream.to_df(i1=-2)["d"].tolist(), [9.5, 9.75])
        stream = self.filled([{"t": 1.6e9, "d": {"x": 1, "y": "a"}}, {"t": 1.6e9 + 1, "d": {"x": 2.5}}])
        frame = stream.to_df()
        self.assertEqual((list(frame.columns), frame["x"].tolist()), (["x", "y"], [1.0, 2.5]))
        self.assertTrue(stream().to_df().equals(frame))

    def test_to_arrow(self) -> None:
        """A table knows its kinds."""
        self.assertEqual(self.stream.to_arrow(i1=-1).schema.names, ["t", "d"])
        self.assertTrue(self.stream().to_arrow().equals(self.stream.to_arrow()))


class AsPicture(DrawingCase, LongStreamCase):
    """Drawn."""

    def test_plot(self) -> None:
        """A range is drawn, with nickname and unit; of what a transform makes neither unit is known."""
        axes = self.stream.plot(i1=-4)
        self.assertEqual(list(axes.get_lines()[0].get_ydata()), [9.0, 9.25, 9.5, 9.75])
        self.assertEqual((axes.figure.get_suptitle(), axes.get_ylabel()), (self.stream.path, ""))
        self.stream.set({"nickname": "Heat", "schema": {"type": "number", "unit": "°C"}})
        axes = self.stream.plot()
        self.assertEqual((axes.figure.get_suptitle(), axes.get_ylabel()), ("Heat", "°C"))
        axes = self.stream.plot(transform="if $ > 9", label="hot")
        self.assertEqual(list(axes.get_lines()[0].get_ydata()), [9.25, 9.5, 9.75])
        self.assertEqual((axes.figure.get_suptitle(), axes.get_ylabel()), ("hot", ""))

    def test_downlink(self) -> None:
        """A downlink is told from its stream."""
        self.stream.set({"downlink": True})
        axes = self.stream.plot(downlink=True)
        self.assertEqual(axes.figure.get_suptitle(), f"{self.stream.path}/downlink")
        self.stream.set({"nickname": "Lamp"})
        self.assertEqual(self.stream.plot(downlink=True).figure.get_suptitle(), "Lamp/downlink")
        self.assertEqual([text.get_text() for text in axes.texts], ["no datapoints"])
