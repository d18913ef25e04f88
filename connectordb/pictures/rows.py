"""Texts as rows of bars: a row for each text, and in it a bar for each period in which it was the value."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ..plain_text import cut
from .series import Series
from .thinning import parts

#: The most rows in a picture.
MOST = 12


class Bar(NamedTuple):
    """A period of time, in seconds since 1970."""

    begin: float
    end: float


class Row(NamedTuple):
    """
    A row of bars.

    Attributes:
        name: The text, and how many points have it. If there are too many texts, the last row is for all others, and says how many.
        bars: When it was the value.
    """

    name: str
    bars: list[Bar]


def rows(series: Series, columns: int, letters: int = 24) -> list[Row]:
    """
    Return the rows of a picture, the most frequent text first.

    A text is the value from its point until the next point with another text or a null; the bar of the last point has no length.

    Args:
        series: A series of texts.
        columns: The number of columns of pixels for its range of time; bars that are closer than one of these are joined.
        letters: How many letters of a text are shown.
    """
    counts = Counter(series.texts)
    ranked = [(text, count) for text, count in counts.most_common() if text is not None]
    shown = ranked if len(ranked) <= MOST else ranked[: MOST - 1]
    names = [f"{cut(text, letters)} ({count:,})" for text, count in shown]
    if rest := ranked[len(shown) :]:
        names.append(f"{len(rest):,} others ({sum(count for _, count in rest):,})")
    numbers = {text: min(number, len(names) - 1) for number, (text, _) in enumerate(ranked)}
    row_of = [None if text is None else numbers[text] for text in series.texts]
    found: list[list[Bar]] = [[] for _ in names]
    times = series.times
    pixel = (times[-1] - times[0]) / columns if times else 0.0
    for begin, end in parts(times, columns):
        behind = times[min(end, len(times) - 1)]
        for row in set(row_of[begin:end]):
            if row is not None:
                _add(found[row], Bar(times[begin], behind if row == row_of[end - 1] else times[end - 1]), pixel)
    return [Row(name, bars) for name, bars in zip(names, found, strict=True)]


def _add(bars: list[Bar], bar: Bar, pixel: float) -> None:
    """Add a bar; if it begins less than a *pixel* after the last one, extend that instead."""
    if bars and bar.begin - bars[-1].end <= pixel:
        bar = Bar(bars.pop().begin, bar.end)
    bars.append(bar)
