"""Numbers drawn as a line of characters."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Return a character for each value; if there are more than *width*, for the means of *width* equal parts of them."""
    if len(values) > width:
        edges = [len(values) * part // width for part in range(width + 1)]
        values = [sum(values[first:last]) / (last - first) for first, last in zip(edges, edges[1:], strict=False)]
    if not values:
        return ""
    low, high = min(values), max(values)
    # computed in halves, as the whole difference may be larger than any float
    span = high / 2 - low / 2
    if not span:
        return _BARS[len(_BARS) // 2] * len(values)
    return "".join(_BARS[min(len(_BARS) - 1, int((value / 2 - low / 2) / span * len(_BARS)))] for value in values)
