"""Series drawn with matplotlib."""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Sequence
from io import BytesIO
from math import isnan
from typing import TYPE_CHECKING, Any

from ..exceptions import LocalProtocolError
from ..frames.extras import library
from ..plain_text import cut, plain, width
from .panels import Panel, panels
from .rows import Row, rows
from .series import Kind, Series, below
from .thinning import thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Columns of pixels in a picture on a large screen with a high resolution.
_COLUMNS = 2000

#: If a line has at most this many points, each is marked with a dot.
_MARKED = 60

#: The largest number with which matplotlib can compute; larger ones are drawn there.
_MOST = 5e307

#: The most names in the legend of a panel; the most letters in a line of the picture, and in a unit beside its panel.
_MOST_NAMES, _LETTERS, _UNIT = 12, 80, 24

#: The most panels in a picture; further ones are counted in the title, and not drawn.
_MOST_PANELS = 12

#: In inches: the width of a picture, the heights of a panel of numbers and of a row of booleans or texts, the space around a panel.
_WIDTH, _NUMBERS, _ROW, _AROUND = 8.0, 2.2, 0.3, 0.45

#: In seconds: the longest range of time, and the earliest beginning of one, for which ticks are certain to be in the calendar.
_AGES, _EARLY = 5_000_000_000, -50_000_000_000

#: The distance between the feet of two rows of booleans, each of which is 1 high.
_STEP = 1.5

#: The days shown to the left and right of points that all have the same time.
_MOMENT = 1 / 1440


def plot(series: Sequence[Series], title: str = "", ax: Axes | None = None) -> Axes:
    """
    Draw series in a new figure of ``matplotlib.pyplot``, or into axes.

    Args:
        series: What to draw; may be empty.
        title: The title of the picture.
        ax: Axes for all of them, which then have to fit on one axis: numbers of one unit, booleans, or the texts of one series.

    Returns:
        The axes; if there are several panels, the first, and all are in its ``figure.axes``.

    Raises:
        ModuleNotFoundError: The extra ``plot`` is not installed.
        LocalProtocolError: They do not fit on one *ax*, or a time is in no calendar.
    """
    if ax is None:
        return _draw(series, library("matplotlib.pyplot", "plot()").figure(), title)
    made = panels(series)
    if len(made) > 1:
        raise LocalProtocolError(
            f"these want {len(made)} axes, one for each unit or kind ({', '.join(map(_what, made))}): leave out ax=, or draw them "
            "one by one"
        )
    if made:
        if made[0].kind is not Kind.NUMBERS and ax.has_data():
            raise LocalProtocolError(
                f"there is something in these axes, and {_what(made[0])} wants others: leave out ax=, or give ax.twinx()"
            )
        _draw_panel(ax, made[0], _bars(made[0]), named=any(each.name for each in series))
        _time_axis(ax, series)
    return ax


def _draw(series: Sequence[Series], figure: Figure, title: str = "") -> Axes:
    """Draw series into an empty figure, whose height is set as they need it; return the first of its axes."""
    title = plain(title)
    if len(series) == 1 and series[0].name.startswith(title):
        title = series[0].name
    elif title:  # the names of an object's keys, and of a device's streams, begin with it, and need not repeat it
        series = below(title, series)
    made = panels(series) or [Panel(Kind.NUMBERS, "", [])]
    left_out = sum(len(panel.series) for panel in made[_MOST_PANELS:])
    made = made[:_MOST_PANELS]
    texts = [_bars(panel) for panel in made]
    heights = [_height(panel, len(of_panel)) for panel, of_panel in zip(made, texts, strict=True)]
    figure.set_layout_engine("constrained")
    figure.set_size_inches(_WIDTH, sum(heights) + _AROUND * (len(made) + 1))
    ratios = {"height_ratios": heights}
    found: list[Axes] = list(figure.subplots(len(made), squeeze=False, sharex=True, gridspec_kw=ratios)[:, 0])
    for axes, panel, of_panel in zip(found, made, texts, strict=True):
        _draw_panel(axes, panel, of_panel, named=len(series) > 1)
    _time_axis(found[-1], series)
    if left_out:
        title = f"{title} ({left_out} more are not drawn)"
    if title:
        figure.suptitle(cut(title, _LETTERS), x=0.01, ha="left", fontweight="bold", parse_math=False)
    return found[0]


def png(series: Sequence[Series], title: str = "", *, dark: bool = False) -> bytes:
    """
    Return a picture as a PNG file, without pyplot.

    Args:
        series: What to draw.
        title: The title of the picture.
        dark: Whether to draw on a black background.

    Raises:
        ModuleNotFoundError: The extra ``plot`` is not installed.
        LocalProtocolError: A time is in no calendar.
    """
    style, figures = library("matplotlib.style", "a picture"), library("matplotlib.figure", "a picture")
    written = BytesIO()
    with style.context(["dark_background"] if dark else []):
        figure = figures.Figure()
        _draw(series, figure, title)
        figure.savefig(written, format="png", dpi=150)
    return written.getvalue()


def _what(panel: Panel) -> str:
    return panel.unit or panel.series[0].name or panel.kind.value


def _bars(panel: Panel) -> list[Row]:
    return rows(panel.series[0], _COLUMNS) if panel.kind is Kind.TEXTS else []


def _height(panel: Panel, rows: int) -> float:
    if panel.kind is Kind.NUMBERS:
        return _NUMBERS
    return _ROW * max(len(panel.series) if panel.kind is Kind.BOOLEANS else rows, 2)


def _draw_panel(axes: Axes, panel: Panel, texts: list[Row], named: bool) -> None:
    """Draw a panel; if *named*, with the names of its series."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    if not any(len(each.times) for each in panel.series):
        axes.text(0.5, 0.5, "no datapoints", transform=axes.transAxes, ha="center", va="center", alpha=0.7)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
    elif panel.kind is Kind.NUMBERS:
        _lines(axes, panel, named)
    elif panel.kind is Kind.BOOLEANS:
        _steps(axes, panel.series)
    else:
        _texts(axes, texts)
    if named and len(panel.series) == 1 and panel.kind is not Kind.NUMBERS:
        axes.set_title(panel.series[0].name, loc="left", fontsize="small", parse_math=False)


def _lines(axes: Axes, panel: Panel, named: bool) -> None:
    for each in panel.series:
        times, found = thinned(each, _COLUMNS)
        values = [max(min(value, _MOST), -_MOST) for value in found]
        dots = (
            list(range(len(values)))
            if len(values) <= _MARKED
            else [i for i in range(len(values)) if _is_alone(values, i)]
        )
        axes.plot(
            _dates(times), values, label=each.name or None, linewidth=1.3, marker="o", markersize=3, markevery=dots
        )
    # axes that were passed may already have lines of other units
    units = dict.fromkeys((*axes.get_ylabel().split(", "), cut(panel.unit, _UNIT)))
    axes.set_ylabel(", ".join(filter(None, units)), parse_math=False)
    with contextlib.suppress(AttributeError):  # axes that were passed may have another formatter
        axes.ticklabel_format(axis="y", useOffset=False)  # ticks as 25.0936, and not as 0.0006 with +2.5093e1 above
    axes.yaxis.get_offset_text().set(x=-0.01, horizontalalignment="right")  # a power of ten goes left of the legend
    axes.grid(axis="y", alpha=0.25)
    if named:
        lines = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_child")]
        names = [cut(str(line.get_label()), _LETTERS) for line in lines[:_MOST_NAMES]]
        more = len(lines) - _MOST_NAMES
        legend = axes.legend(
            lines[:_MOST_NAMES],
            names,
            title=f"and {more} more" if more > 0 else None,
            title_fontsize="small",
            alignment="left",
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=max(1, min(4, _LETTERS // (max(map(width, names)) + 6))),
            frameon=False,
            fontsize="small",
            borderaxespad=0,
            borderpad=0.2,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)


def _is_alone(values: Sequence[float], index: int) -> bool:
    """Tell whether a value has nulls on both sides, so that no line leads to it."""
    neighbours = values[max(index - 1, 0) : index + 2]
    return not isnan(values[index]) and sum(not isnan(value) for value in neighbours) == 1


def _steps(axes: Axes, series: Sequence[Series]) -> None:
    feet = [_STEP * row for row in reversed(range(len(series)))]
    for each, foot in zip(series, feet, strict=True):
        times, values = thinned(each, _COLUMNS)
        dates, raised = _dates(times), [foot + value for value in values]
        (line,) = axes.plot(dates, raised, drawstyle="steps-post", linewidth=1.3, label=each.name or None)
        axes.fill_between(dates, raised, foot, step="post", alpha=0.3, color=line.get_color(), linewidth=0)
        if len(times) == 1:
            line.set(marker="o", markersize=3)
    if len(series) == 1:
        axes.set_yticks([0, 1], ["false", "true"])
    else:
        axes.set_yticks([foot + 0.5 for foot in feet], [cut(each.name, 24) for each in series], parse_math=False)
        axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.2, feet[0] + 1.2)


def _texts(axes: Axes, made: list[Row]) -> None:
    for number, row in enumerate(made):
        begins, ends = (_dates(array("d", edges)) for edges in zip(*row.bars, strict=True))
        axes.broken_barh(
            list(zip(begins, ends - begins, strict=True)),
            (number - 0.35, 0.7),
            facecolor=f"C{number % 10}",
            edgecolor=f"C{number % 10}",  # makes a bar without a length visible
            linewidth=1,
        )
    axes.set_yticks(range(len(made)), [row.name for row in made], parse_math=False)
    axes.set_ylim(len(made) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.25)


def _dates(times: array[float]) -> Any:
    """Return times in the form that matplotlib uses."""
    numpy, dates = library("numpy", "plot()"), library("matplotlib.dates", "plot()")
    return dates.date2num((numpy.array(times) * 1e6).round().astype("M8[us]"))


def _time_axis(axes: Axes, series: Sequence[Series]) -> None:
    """Label the time axis with local time."""
    drawn = [each.times for each in series if each.times]
    if not drawn:
        axes.set_xticks([])
        return
    first, last = min(times[0] for times in drawn), max(times[-1] for times in drawn)
    dates, zones = library("matplotlib.dates", "plot()"), library("dateutil.tz", "plot()")
    # in the year 1, where a tick may be, local time may be in no calendar; and for ages the offset makes no difference
    zone = zones.tzlocal() if first > _EARLY and last - first < _AGES else zones.UTC
    axes.xaxis_date(zone)
    locator = dates.AutoDateLocator(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_formatter(locator, zone, float(_dates(array("d", [last]))[0])))
    axes.margins(x=0.02 if last - first < _AGES else 0)  # the margins have to be in the calendar, too
    if first == last:
        (moment,) = _dates(array("d", [first]))
        axes.set_xlim(moment - _MOMENT, moment + _MOMENT)


def _formatter(locator: Any, zone: Any, last: float) -> Any:
    """
    Return a formatter of ticks that writes, at the end of the axis, the day or year of the last tick up to *last*.

    matplotlib's own takes the last of all ticks, which may be in the margin, and of another day or year than any point.
    """

    class Formatter(library("matplotlib.dates", "plot()").ConciseDateFormatter):  # type: ignore[misc]
        def format_ticks(self, values: Sequence[float]) -> list[str]:
            labels: list[str] = super().format_ticks(values)
            super().format_ticks([value for value in values if value <= last] or values)
            return labels

    return Formatter(locator, tz=zone)
