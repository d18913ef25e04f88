"""Examples for each transform and interpolator. The tests check that they are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Example(NamedTuple):
    """
    A script with points and its results for them.

    Attributes:
        script: The script.
        points: The points: pairs of time and data, or just data, one second apart.
        results: The results, in the same form.
    """

    script: str
    points: Sequence[Any]
    results: Sequence[Any]


class Asked(NamedTuple):
    """
    Points with an interpolator's values at some times.

    Attributes:
        points: The points: pairs of time and data.
        times: The times.
        results: The values at these times.
    """

    points: Sequence[tuple[float, Any]]
    times: Sequence[float]
    results: Sequence[Any]


EXAMPLES: Mapping[str, Sequence[Example]] = {
    "$": (
        Example("$ * 2", [1, 2], [2, 4]),
        Example("$('steps') > 100", [{"steps": 250}, {"steps": 40}], [True, False]),
        Example("$[-1]", [[1, 2, 3]], [3]),
    ),
    "alltrue": (Example("alltrue", [True, True, False, True], [True, True, False, False]),),
    "anytrue": (Example("anytrue", [False, True, False], [False, True, True]),),
    "append": (Example("append", ["a", "b", 3], ["a", "ab", "ab3"]),),
    "apply": (Example("apply($ * 2)", [{"a": 1, "b": 2}], [{"a": 2, "b": 4}]),),
    "bottom": (Example("bottom(2)", [{"a": 5, "b": 1, "c": 3}], [{"b": 1, "c": 3}]),),
    "bucket": (
        Example("bucket(10)", [3, 25, -1], ["[0,10)", "[20,30)", "[-10,0)"]),
        Example("map(bucket(10), count)", [3, 25, 4], [{"[0,10)": 2, "[20,30)": 1}]),
    ),
    "changed": (Example("if changed", [1, 1, 2, 2, 1], [1, 2, 1]),),
    "contains": (Example("contains('light')", ["lights on", "off"], [True, False]),),
    "count": (
        Example("count", ["a", "b", "c"], [1, 2, 3]),
        Example("count | if last", ["a", "b", "c"], [3]),
    ),
    "d": (Example("d + 1", [1, 2], [2, 3]),),
    "day": (Example("day('UTC')", [(0, 1), (200000, 1)], [(0, 0), (200000, 2)]),),
    "dayhour": (Example("dayhour('UTC')", [(0, 1), (50000, 1)], [(0, 0), (50000, 13)]),),
    "del": (Example("del('a')", [{"a": 1, "b": 2}], [{"b": 2}]),),
    "distance": (Example("distance(52.52, 13.405)", [{"latitude": 52.52, "longitude": 13.405}], [0]),),
    "domain": (Example("domain", ["https://www.example.org/page?x=1", "no link"], ["example.org", ""]),),
    "dt": (Example("dt", [(10, 1), (12.5, 1), (20, 1)], [(10, 0), (12.5, 2.5), (20, 7.5)]),),
    "filter": (Example("filter($ < 2)", [{"a": 1, "b": 2, "c": 3}], [{"b": 2, "c": 3}]),),
    "first": (Example("first", [1, 2, 3], [True, False, False]),),
    "hour": (Example("hour('UTC')", [(0, 1), (7300, 1)], [(0, 0), (7300, 2)]),),
    "i": (Example("i", ["a", "b", "c"], [0, 1, 2]),),
    "if": (
        Example("if $ > 2", [1, 3, 2, 5], [3, 5]),
        Example("if $ > 2 | mean", [1, 3, 2, 5], [3, 4]),
    ),
    "ifelse": (
        Example("ifelse($ > 2, $ * 10)", [1, 3], [1, 30]),
        Example("ifelse($ > 2, 'high', 'low')", [1, 3], ["low", "high"]),
    ),
    "imap": (Example("imap($, count)", ["a", "b", "a"], [{"a": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}]),),
    "iwhile": (Example("iwhile($ != 0, sum)", [1, 2, 0, 5], [1, 3, 0, 5]),),
    "last": (
        Example("last", [1, 2, 3], [False, False, True]),
        Example("sum | if last", [1, 2, 3], [6]),
    ),
    "length": (Example("length", ["four", [1, 2], {"a": 1}, 5], [4, 2, 1, 0]),),
    "map": (
        Example("map($ > 2, count)", [1, 3, 5], [{"false": 1, "true": 2}]),
        Example(
            "map(weekday('UTC'), sum)", [(0, 1), (86400, 2), (604800, 4)], [(604800, {"Thursday": 5, "Friday": 2})]
        ),
    ),
    "max": (
        Example("max", [2, 5, 3], [2, 5, 5]),
        Example("max($('b'))", [{"a": "x", "b": 1}, {"a": "y", "b": 3}], [{"a": "x", "b": 1}, {"a": "y", "b": 3}]),
    ),
    "mean": (Example("mean", [1, 3, 8], [1, 2, 4]),),
    "min": (Example("min", [3, 2, 5], [3, 2, 2]),),
    "month": (Example("month('UTC')", [(0, 1), (3456000, 1)], [(0, 1), (3456000, 2)]),),
    "monthday": (Example("monthday('UTC')", [(0, 1), (3456000, 1)], [(0, 1), (3456000, 10)]),),
    "new": (Example("if new", ["a", "b", "a", "c"], ["a", "b", "c"]),),
    "next": (
        Example("next", [1, 2, 3], [2, 3, None]),
        Example("next - $", [1, 4, 9], [3, 5, -9]),
    ),
    "percent": (Example("percent", [{"a": 1, "b": 3}], [{"a": 0.25, "b": 0.75}]),),
    "rand": (Example("rand < 1", [1, 2], [True, True]),),
    "reduce": (Example("reduce(sum)", [{"a": 1, "b": 2}], [3]),),
    "regex": (Example("regex('^[0-9]+$')", ["123", "12a"], [True, False]),),
    "remember": (Example("remember($ > 5)", [1, 7, 2, 9, 3], [1, 7, 7, 9, 9]),),
    "sentiment": (Example("sentiment", ["good", "I hate this!"], [0.6, -0.2]),),
    "set": (Example("set('sum', $('a') + $('b'))", [{"a": 1, "b": 2}], [{"a": 1, "b": 2, "sum": 3}]),),
    "sum": (Example("sum", [1, 2, 3], [1, 3, 6]),),
    "t": (Example("t", [(10, 1), (20, 1)], [(10, 10), (20, 20)]),),
    "tfalse": (Example("tfalse", [(1, False), (2, False), (5, True)], [(5, 4)]),),
    "top": (
        Example("top(2)", [{"a": 5, "b": 1, "c": 3}], [{"a": 5, "c": 3}]),
        Example("top(1, -$)", [{"a": 5, "b": 1, "c": 3}], [{"b": 1}]),
    ),
    "tshift": (Example("tshift(60)", [(10, "a")], [(70, "a")]),),
    "ttrue": (Example("ttrue", [(1, True), (4, False), (5, True), (7, True)], [(4, 3), (7, 2)]),),
    "wc": (Example("wc", ["one two, three"], [3]),),
    "week": (Example("week('UTC')", [(345600, 1), (950400, 1)], [(345600, 0), (950400, 1)]),),
    "weekday": (Example("weekday('UTC')", [(0, 1), (86400, 1)], [(0, "Thursday"), (86400, "Friday")]),),
    "while": (
        Example("while($ != 1, sum)", [5, 2, 3, 1, 2], [10, 3]),
        Example("while(not day('UTC'):changed, sum)", [(0, 1), (100, 2), (86400, 4)], [(100, 3), (86400, 4)]),
    ),
    "year": (Example("year('UTC')", [(0, 1), (34560000, 1)], [(0, 1970), (34560000, 1971)]),),
    "yearday": (Example("yearday('UTC')", [(0, 1), (3456000, 1)], [(0, 1), (3456000, 41)]),),
    "yearmonth": (Example("yearmonth('UTC')", [(0, 1), (3456000, 1)], [(0, "January"), (3456000, "February")]),),
}

_STEPS = ((1, 10), (2, 20), (4, 60))

ASKED: Mapping[str, Asked] = {
    "before": Asked(_STEPS, (0, 1, 3, 5), (None, 10, 20, 60)),
    "after": Asked(_STEPS, (0, 1, 3, 5), (10, 20, 60, None)),
    "closest": Asked(_STEPS, (0, 2.5, 3, 5), (10, 20, 20, 60)),
    "count": Asked(_STEPS, (0, 2, 3, 5), (0, 2, 0, 1)),
    "sum": Asked(_STEPS, (0, 2, 3, 5), (0, 30, 0, 60)),
    "mean": Asked(_STEPS, (0, 2, 3, 5), (0, 15, 0, 60)),
}
