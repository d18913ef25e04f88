"""
PipeScript on points at hand, against the plain Python generator that a programmer would write for each case.

    python benchmarks/pipescript_engine.py [--points 1000000] [--rounds 5] [--short]

Goals: each transform at most 3 ×, also a dataset of 100,000 rows and three columns; a line compiled in 1 ms; the memory of a
transform that streams does not grow with what streams through it.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import floor
from typing import Any

from _rounds import figure, in_turns, options, report

from connectordb.pipescript import Script, tdataset
from connectordb.pipescript.source import _code

Point = dict[str, Any]

LINES = (
    "if $ > 50",
    "$ * 2 + 1",
    "map($ > 50, count)",
    "$ * 2 + 1 | if $ > 50 | mean",
    "if $('a') > 5 and $('b') < 2 | map(weekday, {'n': count, 'mean': $('a'):mean}) | top(3, $('n'))",
)


def above(points: Iterable[Point]) -> Iterator[Point]:
    """``if $ > 50``."""
    for point in points:
        if point["d"] > 50:
            yield point


def line(points: Iterable[Point]) -> Iterator[Point]:
    """``$ * 2 + 1``."""
    for point in points:
        yield {"t": point["t"], "d": point["d"] * 2 + 1}


def mean(points: Iterable[Point]) -> Iterator[Point]:
    """``mean``."""
    total = 0.0
    for number, point in enumerate(points, 1):
        total += point["d"]
        yield {"t": point["t"], "d": total / number}


def split(points: Iterable[Point]) -> Iterator[Point]:
    """``map($ > 50, count)``."""
    counts: dict[str, int] = {}
    for point in points:
        key = "true" if point["d"] > 50 else "false"
        counts[key] = counts.get(key, 0) + 1
    yield {"t": point["t"], "d": counts}


def bucket(points: Iterable[Point]) -> Iterator[Point]:
    """``bucket(10)``."""
    for point in points:
        n = floor(point["d"] / 10)
        yield {"t": point["t"], "d": f"[{n * 10:g},{(n + 1) * 10:g})"}


def three(points: Iterable[Point]) -> Iterator[Point]:
    """``$ * 2 + 1 | if $ > 50 | mean``."""
    total, number = 0.0, 0
    for point in points:
        value = point["d"] * 2 + 1
        if value > 50:
            total += value
            number += 1
            yield {"t": point["t"], "d": total / number}


CASES: dict[str, Callable[[Iterable[Point]], Iterator[Point]]] = {
    "if $ > 50": above,
    "$ * 2 + 1": line,
    "mean": mean,
    "map($ > 50, count)": split,
    "bucket(10)": bucket,
    "$ * 2 + 1 | if $ > 50 | mean": three,
}


def rows(columns: dict[str, list[Point]], number: int) -> Iterator[Point]:
    """Line up columns by hand: ``before`` of a, ``closest`` of b, ``mean`` of c."""
    a, b, c = columns.values()
    i = j = k = 0
    for row in range(number):
        r = float(row)
        while i < len(a) and a[i]["t"] <= r:
            i += 1
        while j < len(b) and b[j]["t"] <= r:
            j += 1
        near = b[j - 1] if j and (j == len(b) or r - b[j - 1]["t"] <= b[j]["t"] - r) else b[j]
        total, first = 0.0, k
        while k < len(c) and c[k]["t"] <= r:
            total += c[k]["d"]
            k += 1
        yield {
            "t": r,
            "d": {"a": a[i - 1]["d"] if i else None, "b": near["d"], "c": total / (k - first) if k > first else 0.0},
        }


def taken(make: Callable[[], Iterable[Point]]) -> float:
    """Return the processor time that it takes to have all of it."""
    begin = time.process_time()
    deque(make(), 0)
    return time.process_time() - begin


def compiled(text: str) -> float:
    """Return how long it takes to compile a script that was not compiled before, and to begin a run."""
    _code.cache_clear()
    begin = time.process_time()
    deque(Script(text)(()), 0)
    return time.process_time() - begin


def streamed(text: str, points: int) -> float:
    """Return the bytes by which memory grows at most while points stream through a script."""
    script = Script(text, tz="UTC")
    deque(script([{"t": 1.0, "d": 1.0}]), 0)  # it is written as Python now
    tracemalloc.start()
    deque(script({"t": float(number), "d": float(number % 100)} for number in range(points)), 0)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def main() -> None:
    """Measure, and print a line each."""
    parser = options(__doc__, 5)
    parser.add_argument("--points", type=int, default=1_000_000, help="points of each case (1000000)")
    asked = parser.parse_args()
    number, rounds = (20_000, 3) if asked.short else (asked.points, asked.rounds)
    for kind, convert in (("floats", float), ("whole numbers", int)):
        points = [{"t": float(at), "d": convert(at * 7 % 100)} for at in range(number)]
        for text, plain in CASES.items():
            figures = in_turns(
                {
                    "ours": partial(taken, partial(Script(text), points)),
                    "plain": partial(taken, partial(plain, points)),
                },
                rounds,
            )
            report(
                f"{text}, {number:,} {kind}",
                figures["ours"],
                figures["plain"],
                "ns a point",
                most=3,
                against="a plain generator",
                scale=1e9 / number,
            )
        del points

    count = number // 10
    columns = {
        name: [{"t": at + shift, "d": float(at % 9)} for at in range(count)]
        for name, shift in zip("abc", (0, 0.3, 0.6), strict=True)
    }
    ours = {name: (columns[name], how) for name, how in zip("abc", ("before", "closest", "mean"), strict=True)}
    figures = in_turns(
        {
            "ours": lambda: taken(lambda: tdataset(0, count, 1, ours)),
            "plain": lambda: taken(lambda: rows(columns, count)),
        },
        rounds,
    )
    report(
        f"a T-dataset of {count:,} rows and 3 columns",
        figures["ours"],
        figures["plain"],
        "µs a row",
        most=3,
        against="a loop by hand",
        scale=1e6 / count,
    )
    for text in LINES:
        figure(f"compiling {text}", 1e3 * sorted(compiled(text) for _ in range(51))[25], "ms", most=1)
    for text in ("if $ > 50 | mean", "map(weekday, sum)", "$ - next | if last", "while($ != 0, sum)"):
        small, large = streamed(text, number // 100), streamed(text, number // 10)
        figure(f"memory of {text}, {number // 10:,} points against a tenth of them", large / small, "×", most=1.5)


if __name__ == "__main__":
    main()
