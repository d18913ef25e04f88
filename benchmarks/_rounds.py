"""Measuring things in turns, and saying how they compare: medians, their ratio, and the goal."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence


def options(doc: str | None, rounds: int = 9) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often each is measured, in turns ({rounds})")
    parser.add_argument("--short", action="store_true", help="a few seconds, to see that it works")
    return parser


def in_turns(
    cases: Mapping[str, Callable[[], float]], rounds: int, before: Callable[[], object] = lambda: None
) -> dict[str, list[float]]:
    """Measure every case once a round, each round beginning with another, *before* it once; return all figures by case."""
    names = list(cases)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        before()
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            figures[name].append(cases[name]())
    return figures


def spread(values: Sequence[float], scale: float = 1.0) -> str:
    """Return a median with the lowest and the highest."""
    median, low, high = (scale * value for value in (statistics.median(values), min(values), max(values)))
    digits = 0 if median >= 100 else 1 if median >= 10 else 2
    return f"{median:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def report(
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    unit: str,
    *,
    least: float = 0,
    most: float = 0,
    against: str = "the baseline",
    scale: float = 1.0,
) -> float:
    """Print one line: the ratio of the medians, the goal for it if there is one, and the figures; return the ratio."""
    ratio = statistics.median(ours) / statistics.median(theirs)
    each = statistics.median(one / two for one, two in zip(ours, theirs, strict=True))
    goal, met = "", True
    if least:
        goal, met = f"goal: ≥ {least:g}", ratio >= least
    if most:
        goal, met = f"goal: ≤ {most:g}", ratio <= most
    goal = f" ({goal}{'' if met else ', MISSED'})" if goal else ""
    print(
        f"{what}: {ratio:.2f} × {against}{goal}; round by round {each:.2f}; "
        f"{spread(ours, scale)} and {spread(theirs, scale)} {unit}, {len(ours)} rounds",
        flush=True,
    )
    return ratio


def figure(what: str, value: float, unit: str, *, most: float = 0) -> None:
    """Print one figure that is no ratio, and its goal if it has one."""
    goal = f" (goal: ≤ {most:g}{'' if value <= most else ', MISSED'})" if most else ""
    print(f"{what}: {value:.{2 if value < 10 else 1}f} {unit}{goal}", flush=True)
