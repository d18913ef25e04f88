"""What matplotlib is given."""

from __future__ import annotations

import io
import os
import time
import warnings
from datetime import datetime
from typing import Any
from unittest import mock

from hypothesis import given, settings

from connectordb import DatapointArray
from connectordb.exceptions import LocalProtocolError
from connectordb.pictures import of_points, plot

from ..frames.cases import POINTS
from .cases import START, DrawingCase, points


class Charts(DrawingCase):
    """A picture for each kind of values."""

    def drawn(self, *values: Any, schema: Any = None, **options: Any) -> Any:
        """Return the axes of a picture that was drawn to the end, without a warning."""
        return self.finished(plot(of_points(points(*values), "x", schema), "A title", **options))

    def finished(self, axes: Any) -> Any:
        """Have a picture drawn to the end."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "Glyph")  # a text that the font has no letters for
            axes.figure.savefig(io.BytesIO())
        return axes

    def labels(self, axis: Any) -> list[str]:
        """Return what stands at an axis."""
        return [label.get_text() for label in axis.get_ticklabels()]

    def test_numbers(self) -> None:
        """Numbers are a line, with their unit; a null is a gap."""
        axes = self.drawn(1, 2.5, None, 4, schema={"unit": "°C"})
        (line,) = axes.get_lines()
        self.assertEqual([str(value) for value in line.get_ydata()], ["1.0", "2.5", "nan", "4.0"])
        self.assertEqual(axes.get_ylabel(), "°C")
        self.assertEqual(axes.figure.get_suptitle(), "A title")

    def test_alone(self) -> None:
        """Of many points, those between nulls have a mark: no line would show them."""
        (line,) = self.drawn(*[1] * 80, None, 2, None, *[1] * 80).get_lines()
        self.assertEqual(line.get_markevery(), [81])

    def test_booleans(self) -> None:
        """Booleans are steps."""
        axes = self.drawn(True, False, None, True)
        (line,) = axes.get_lines()
        self.assertEqual(line.get_drawstyle(), "steps-post")
        self.assertEqual(self.labels(axes.yaxis), ["false", "true"])
        axes = self.drawn(*[{"door": True, "window": False}] * 3)
        self.assertEqual(self.labels(axes.yaxis), ["x door", "x window"])

    def test_texts(self) -> None:
        """Texts are rows of bars; what looks like mathematics is none."""
        axes = self.drawn("$on_", "off", "$on_", "$x^")
        self.assertEqual(self.labels(axes.yaxis), ["$on_ (2)", "off (1)", "$x^ (1)"])
        self.assertEqual(len(axes.collections), 3)

    def test_objects(self) -> None:
        """Keys that do not go together have axes of their own, above one time; the first is returned."""
        axes = self.drawn(*[{"a": n, "b": n * 1e6, "c": str(n), "d": n > 1, "e": n + 1} for n in range(3)])
        found = axes.figure.axes
        self.assertIs(found[0], axes)
        self.assertEqual(len(found), 4)
        self.assertEqual([text.get_text() for text in axes.get_legend().get_texts()], ["x a", "x e"])
        self.assertTrue(all(each.get_shared_x_axes().joined(axes, each) for each in found))

    def test_titles(self) -> None:
        """What is alone in its axes is named above them; a title is not said again in the names of keys."""
        made = of_points(points({"a": True, "b": "x", "c": 1}), "weather")
        axes = self.finished(plot(made, "weather")).figure.axes
        self.assertEqual([each.get_title(loc="left") for each in axes], ["a", "b", ""])
        self.assertEqual(axes[2].get_legend().get_texts()[0].get_text(), "c")
        streams = [*of_points(points(True), "mara/room/a"), *of_points(points("x"), "mara/room/b")]
        axes = plot(streams, "mara/room").figure.axes
        self.assertEqual([each.get_title(loc="left") for each in axes], ["a", "b"])

    def test_one_title(self) -> None:
        """What is alone gives its own name, if that says more."""
        for values, title in (((1,), "x"), (({"key": 1},), "x key"), (([*[1] * 10, "a"]), "x (1 of another kind)")):
            self.assertEqual(plot(of_points(points(*values), "x"), "x").figure.get_suptitle(), title)

    def test_too_many(self) -> None:
        """Of very many axes some are not drawn, and it says so."""
        axes = self.drawn(*[{f"k{n}": f"{n}" for n in range(20)}] * 2)
        self.assertEqual(len(axes.figure.axes), 12)
        self.assertEqual(axes.figure.get_suptitle(), "A title (8 more are not drawn)")

    def test_many_names(self) -> None:
        """Of very many lines some are named, and the others counted."""
        axes = self.finished(plot(of_points(points({f"k{n}": n for n in range(100)}))))
        legend = axes.get_legend()
        self.assertEqual((len(legend.get_texts()), legend.get_title().get_text()), (12, "and 88 more"))

    def test_long_names(self) -> None:
        """Names stay in the picture, however long they are."""
        for names in (["n" * 200, "m"], ["n" * 45] * 8, ["nn"] * 9):
            series = [each for name in names for each in of_points(points(1, 2), name)]
            axes = self.finished(plot(series, "t" * 200))
            for shown in (axes.get_legend(), axes.figure._suptitle):
                self.assertLessEqual(shown.get_window_extent().x1, axes.figure.bbox.x1)
        axes = self.drawn(1, 2, schema={"unit": "u" * 200})
        self.assertLessEqual(axes.yaxis.get_label().get_window_extent().y1, axes.figure.bbox.y1)

    def test_names(self) -> None:
        """Names are shown as they are, whatever matplotlib makes of them otherwise."""
        axes = self.finished(plot(of_points(points({"_a": 1, "$b_": 2}, {"_a": 2, "$b_": 1}))))
        self.assertEqual([text.get_text() for text in axes.get_legend().get_texts()], ["_a", "$b_"])

    def test_control_characters(self) -> None:
        """What would be a box, or turn the direction of writing, is a dot."""
        axes = self.finished(plot(of_points(points(1), "a\x1bb", {"unit": "\x07W"}), "c\u202ed"))
        self.assertEqual((axes.get_ylabel(), axes.figure.get_suptitle()), ("·W", "c·d"))

    def test_powers_of_ten(self) -> None:
        """That of very large numbers stands beside the names above them."""
        axes = self.finished(plot(of_points(points({"a": 2e18, "b": 1}, {"a": 2**62, "b": 2}))))
        power, names = (each.get_window_extent() for each in (axes.yaxis.get_offset_text(), axes.get_legend()))
        self.assertFalse(power.overlaps(names))

    def test_close(self) -> None:
        """Numbers that hardly differ are told whole; an axis that has its own way to tell them keeps it."""
        self.assertIn("25.09340", self.labels(self.drawn(25.0933, 25.0936).yaxis))
        from matplotlib import pyplot

        _, axes = pyplot.subplots()
        axes.set_yscale("log")
        self.assertEqual(self.drawn(1, 10, ax=axes).get_yscale(), "log")

    def test_few(self) -> None:
        """Nothing, nulls, and one point of each kind are pictures, too."""
        self.assertEqual([text.get_text() for text in self.drawn().texts], ["no datapoints"])
        self.finished(plot([], ""))
        self.drawn(None, None)
        for value in (1, True, "text", [1], {"a": 1, "b": "x"}):
            with self.subTest(value):
                left, right = self.drawn(value).get_xlim()
                self.assertLess((right - left) * 86400, 300)

    def test_local_time(self) -> None:
        """Times are those of this machine's clocks, before and after they are put forward."""
        self.addCleanup(time.tzset)
        with mock.patch.dict(os.environ, {"TZ": "Europe/Berlin"}):
            time.tzset()
            axes = self.drawn(*range(25))  # minutes
            self.assertEqual(self.labels(axes.xaxis)[0], "01:00")
            summer = plot(of_points([{"t": START + 86400 * 200 + 60 * n, "d": n} for n in range(25)]))
            self.assertEqual(self.labels(self.finished(summer).xaxis)[0], "02:00")
        axes.axvline(datetime.fromtimestamp(START + 600))  # dates go onto the axis as they are
        left, right = axes.get_xlim()
        self.assertLess(right - left, 0.06)

    def test_day(self) -> None:
        """Beside the hours of one day stands that day, also where the last tick is behind it."""
        with mock.patch.dict(os.environ, {"TZ": "UTC"}):
            self.addCleanup(time.tzset)
            time.tzset()
            axes = self.finished(plot(of_points(points(*range(24 * 60)))))
        self.assertEqual(self.labels(axes.xaxis)[-1], "Jan-02")
        self.assertEqual(axes.xaxis.get_offset_text().get_text(), "2026-Jan-01")

    def test_into_axes(self) -> None:
        """What goes together goes into given axes, one after the other; what does not is told."""
        from matplotlib import pyplot

        _, ax = pyplot.subplots()
        for name in ("one", "two"):
            self.assertIs(DatapointArray(points(1, 2, 3)).plot(label=name, ax=ax), ax)
        self.finished(ax)
        self.assertEqual([text.get_text() for text in ax.get_legend().get_texts()], ["one", "two"])
        with self.assertRaisesRegex(LocalProtocolError, r"these want 2 axes, .*\(x a, x b\): leave out ax="):
            self.drawn({"a": 1, "b": "x"}, ax=ax)
        self.assertIs(plot([], "", ax), ax)
        for unit in ("°C", "W", "°C", ""):
            self.drawn(1, 2, schema={"unit": unit}, ax=ax)
        self.assertEqual(ax.get_ylabel(), "°C, W")
        with self.assertRaisesRegex(LocalProtocolError, r"x wants others: leave out ax=, or give ax.twinx\(\)"):
            self.drawn(True, ax=ax)
        self.drawn(True, False, ax=ax.twinx())

    def test_many(self) -> None:
        """A million points become as many as there are pixels."""
        many = of_points(points(*range(1_000_000), step=1))
        begun = time.process_time()
        (line,) = plot(many).get_lines()
        self.assertLessEqual(len(line.get_xdata()), 8000)
        self.assertLess(time.process_time() - begun, 5)

    def test_calendar(self) -> None:
        """Times that no calendar has are told; the first and the last that it has are drawn."""
        for t in (-6.3e10, 2.6e11, 1e300):
            with self.assertRaisesRegex(LocalProtocolError, "is in no calendar"):
                plot(of_points([{"t": t, "d": 1}]))
        self.addCleanup(time.tzset)
        for zone in ("Europe/Berlin", "America/New_York"):
            with mock.patch.dict(os.environ, {"TZ": zone}):
                time.tzset()
                for times in ((-6.2e10,), (2.53e11,), (-6.2e10, 2.53e11), (-6.2e10, -6e10)):
                    self.finished(plot(of_points([{"t": t, "d": 1} for t in times])))

    @settings(max_examples=15, deadline=None)
    @given(POINTS)
    def test_everything(self, made: list[dict[str, Any]]) -> None:
        """There is a picture of everything."""
        from matplotlib import pyplot

        self.finished(DatapointArray(made).plot())
        pyplot.close()
