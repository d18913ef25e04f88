"""Draws series with characters: numbers as lines by plotext, booleans and texts as rows of blocks, above a common time axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count, groupby, takewhile
from math import ceil, floor, inf, isfinite, log10
from typing import NamedTuple

import click
import plotext

from ..pictures import Bar, Kind, Panel, Series, below, panels, rows, thinned
from ..plain_text import cut, width

#: Colours that are visible on dark and light backgrounds, by their numbers in terminals with 256 colours.
_COLORS = (32, 172, 35, 161, 133, 37)

#: The markers of lines: fine dots with colours or for a single line, otherwise a different marker for each line.
_FINE, _MARKS = "braille", ("•", "x", "o", "+", "*", "#")

#: The height of a panel of numbers, in lines, if it is the only panel, and if not.
_ALONE, _AMONG_OTHERS = 16, 9

#: The columns left of the picture, beside numbers and beside texts; the most letters of a text or unit, and of a name above; and the
#: least width of the picture itself.
_VALUES, _NAMES, _LETTERS, _ABOVE, _LEAST = 10, 26, 14, 80, 20

#: The space between two names.
_BETWEEN = "   "

#: A range of numbers counts as a single number if half of it is not larger than this.
_FLAT = 1e-300

#: The character for a column, by whether a boolean is true in it, and whether one is false.
_BOOLEANS = {(True, False): "█", (False, True): "▁", (True, True): "▄", (False, False): " "}

#: The possible numbers of seconds between two ticks; the columns that a tick needs.
_STEPS = (
    *(factor / 10**places for places in range(6, 0, -1) for factor in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800),
)
_TICK, _HOUR = 12, 3600

#: The format of ticks: each for less than so many seconds between two of them.
_FORMATS = ((1, "%S"), (60, "%H:%M:%S"), (86400, "%H:%M"), (300 * 86400, "%b %d"), (inf, "%Y"))

#: The seconds shown to the left and right of points that all have the same time.
_MOMENT = 60.0


class _Area(NamedTuple):
    """
    The area of the picture itself, without the labels around it.

    Attributes:
        first: The time at its left edge, in seconds since 1970.
        last: The time at its right edge.
        columns: Its width.
        beside: The number of columns to the left of it.
        colored: Whether it has colours.
    """

    first: float
    last: float
    columns: int
    beside: int
    colored: bool

    def column(self, t: float) -> int:
        """Return the column of a time; for the last time, the one after the last column."""
        return int((t - self.first) / (self.last - self.first) * self.columns)

    def line(self, label: str, cells: str, axis: str = "│") -> str:
        """Return a line of the picture."""
        return f"{' ' * (self.beside - width(label))}{label} {axis}{cells}"

    def styled(self, text: str, number: int) -> str:
        """Return text in the colour of series number *number*."""
        return click.style(text, fg=_COLORS[number % len(_COLORS)]) if self.colored else text


def chart(series: Sequence[Series], width: int, colored: bool, title: str = "") -> str:
    """
    Return a picture for a terminal: lines that end with a newline.

    Args:
        series: What to draw.
        width: The width of the terminal.
        colored: Whether to use colours.
        title: The title above several series; their names are shown without it, if they begin with it.
    """
    drawn = [each for each in series if each.times]
    lines = [cut(title, _ABOVE)] if title and len(drawn) > 1 else []
    drawn = below(title, drawn) if lines else drawn
    if not drawn:
        return "no datapoints\n"
    made = panels(drawn)
    first, last = min(each.times[0] for each in drawn), max(each.times[-1] for each in drawn)
    if first == last:
        first, last = first - _MOMENT, last + _MOMENT
    beside = _VALUES if all(panel.kind is Kind.NUMBERS for panel in made) else _NAMES
    area = _Area(first, last, max(width - beside - 2, _LEAST), beside, colored)
    for panel in made:
        if panel.kind is Kind.NUMBERS:
            lines += _lines(panel, _ALONE if len(made) == 1 else _AMONG_OTHERS, area)
        else:
            lines += _blocks(panel, area)
    return "".join(f"{line.rstrip()}\n" for line in [*lines, *_time_axis(area)])


# --- numbers ----------------------------------------------------------------------------------------------------------


def _lines(panel: Panel, height: int, area: _Area) -> Iterator[str]:
    found = [thinned(each, 2 * area.columns) for each in panel.series]
    known = [value for _, values in found for value in values if isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    half = high / 2 - low / 2  # in halves, as the whole difference may be larger than any float
    ticks = _ticks(low, high) if half > _FLAT else [(low, _written(low, 0.1))]

    def height_of(value: float) -> float:
        return (value / 2 - low / 2) / half if half > _FLAT else value - low + 0.5  # NaN for a null

    alike = area.colored or len(found) == 1
    marks = [_FINE if alike else _MARKS[number % len(_MARKS)] for number in range(len(found))]
    yield _heading(panel, ["━━" if alike else mark for mark in marks], area)
    lines = [
        (mark, [(t, height_of(value)) for t, value in zip(times, values, strict=True)])
        for mark, (times, values) in zip(marks, found, strict=True)
    ]
    labels = {height - 1 - round(height_of(tick) * (height - 1)): text for tick, text in ticks}
    for number, cells in enumerate(_canvas(lines, height, area)):
        yield area.line(labels.get(number, ""), cells, "┤" if number in labels else "│")


def _heading(panel: Panel, marks: Sequence[str], area: _Area) -> str:
    """Return the names of the lines with their markers, as far as there is room, and the unit."""
    names: list[str] = []
    room = area.beside + area.columns
    for mark, each in zip(marks, panel.series, strict=True):
        name = f"{mark} {cut(each.name, _ABOVE)}"
        room -= width(name) + len(_BETWEEN)
        if names and room < 0:
            names.append(f"and {len(panel.series) - len(names)} more")
            break
        names.append(area.styled(name, len(names)))
    return _BETWEEN.join([*names, f"[{cut(panel.unit, _LETTERS)}]"] if panel.unit else names)


def _canvas(lines: Sequence[tuple[str, list[tuple[float, float]]]], height: int, area: _Area) -> list[str]:
    """
    Return a picture that plotext has drawn, line by line.

    Args:
        lines: The marker of each line, and its points: times, and heights from 0 to 1, with NaN for a gap.
        height: The height of the picture.
        area: Its width and range of times.
    """
    plotext.clear_figure()
    plotext.plotsize(area.columns, height)
    plotext.theme("clear")
    plotext.xaxes(False, False)  # the axes are drawn in this file, so that those of all panels are aligned
    plotext.yaxes(False, False)
    plotext.xfrequency(0)
    plotext.yfrequency(0)
    plotext.xlim(area.first, area.last)
    plotext.ylim(0, 1)
    for number, (mark, points) in enumerate(lines):
        for holds, part in groupby(points, lambda point: isfinite(point[1])):
            if holds:
                times, heights = map(list, zip(*part, strict=True))
                plotext.plot(times, heights, marker=mark, color=_COLORS[number % len(_COLORS)])
    built = plotext.build()
    return (built if area.colored else plotext.uncolorize(built)).splitlines()  # type: ignore[no-any-return]


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return a handful of round numbers within a range, each with its text."""
    rough = high / 4 - low / 4
    power = floor(log10(rough))
    step = next(step for factor in (1, 2, 5, 10) if (step := factor * 10.0**power) >= rough * 0.99)
    values = [number * step for number in range(ceil(low / step), floor(high / step) + 1)]
    return [(value, _written(value, step)) for value in values]


def _written(value: float, step: float) -> str:
    text = f"{value:.{max(0, -floor(log10(step)))}f}"
    return text if len(text) <= _VALUES else f"{value:.3g}"


# --- booleans and texts -----------------------------------------------------------------------------------------------


def _blocks(panel: Panel, area: _Area) -> Iterator[str]:
    if panel.kind is Kind.TEXTS:
        yield cut(panel.series[0].name, _ABOVE)
        for number, row in enumerate(rows(panel.series[0], area.columns, _LETTERS)):
            cells = "".join("█" if here else " " for here in _columns(row.bars, area))
            yield area.line(row.name, area.styled(cells, number))
        return
    for number, each in enumerate(panel.series):
        words = [None if value != value else "true" if value else "false" for value in each.numbers]
        held = {row.name.split()[0]: row.bars for row in rows(each._replace(values=words), area.columns)}
        true, false = (_columns(held.get(word, []), area) for word in ("true", "false"))
        cells = "".join(_BOOLEANS[pair] for pair in zip(true, false, strict=True))
        yield area.line(cut(each.name, _NAMES), area.styled(cells, number))


def _columns(bars: Sequence[Bar], area: _Area) -> list[bool]:
    """Return, for each column, whether there is a bar in it."""
    columns = [False] * area.columns
    for bar in bars:
        begin, end = min(area.column(bar.begin), area.columns - 1), area.column(bar.end)
        columns[begin : max(end, begin + 1)] = [True] * max(end - begin, 1)
    return columns


# --- times ------------------------------------------------------------------------------------------------------------


def _time_axis(area: _Area) -> Iterator[str]:
    """Yield the lines of the time axis, with labels in local time."""
    axis, below = ["─"] * area.columns, [" "] * area.columns
    step = (area.last - area.first) / max(area.columns // _TICK, 1)
    step = next((each for each in _STEPS if each >= step), step)
    wanted = next(text for most, text in _FORMATS if step < most)
    midnight = datetime.fromtimestamp(area.first).replace(hour=0, minute=0, second=0, microsecond=0)
    first = floor((area.first - midnight.timestamp()) / step) - 1
    ticks = takewhile(lambda t: t <= area.last, (_tick(midnight, number * step, step) for number in count(first)))
    for t in ticks:
        if t >= area.first:
            column, text = min(area.column(t), area.columns - 1), _clock(t, wanted, step)
            axis[column] = "┬"
            if column + len(text) <= area.columns:
                below[column : column + len(text)] = text
    yield area.line("", "".join(axis), "└")
    yield area.line("", "".join(below), " ")
    begin, end = (_clock(t, "%Y-%m-%d %H:%M:%S", step) for t in (area.first, area.last))
    yield area.line("", f"{begin} – {end}", " ")


def _clock(t: float, wanted: str, step: float) -> str:
    """Return a time in the *wanted* format, with as many digits after the seconds as distinguish times that are a *step* apart."""
    moment = datetime.fromtimestamp(t)
    text, places = moment.strftime(wanted), max(0, -floor(log10(step)))
    return f"{text}.{moment.microsecond:06}"[: len(text) + 1 + places] if places else text


def _tick(midnight: datetime, seconds: float, step: float) -> float:
    """
    Return the time so many seconds after a local midnight.

    If ticks are hours or days apart, the seconds are those of the local clock, so that ticks stay on the hour across a change of
    daylight saving time.
    """
    if _HOUR < step <= _STEPS[-1]:
        return (midnight + timedelta(seconds=seconds)).timestamp()
    return midnight.timestamp() + seconds
