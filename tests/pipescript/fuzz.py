"""
Texts by the million as scripts: valid ones, mistaken ones, hostile ones, and noise, compiled and run on points.

    python -m tests.pipescript.fuzz [--texts 1000000] [--seed N] [--short]

Held is: nothing but `PipeScriptError` comes out, and where a script is at fault, where in it; none takes longer than its budget or
more memory; what is written of a script that compiles says the same, and gives the same results.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import signal
import sys
import time
from collections import Counter
from itertools import islice
from types import FrameType
from typing import Any

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script
from connectordb.pipescript.limits import Limits

from .making import SCRIPTS, hostile, mutated, noise, points, script

#: What a server might allow; small enough that a script that goes beyond is seen.
LIMITS = Limits(length=20_000, value_max=100_000, held_max=10_000_000, string_max=10_000, split_max=1_000)

#: Seconds of processor time that a text may take, compiled twice and run three times.
_PATIENCE = 20

#: Bytes of memory that the process may grow by.
_GROWTH = 600 * 1024 * 1024


class Stuck(Exception):
    """A text takes too long."""


def text_of(chance: random.Random) -> str:
    """Return a text."""
    kind = chance.random()
    if kind < 0.45:
        return script(chance)
    if kind < 0.8:
        return mutated(chance, chance.choice(SCRIPTS) if chance.random() < 0.5 else script(chance))
    if kind < 0.998:
        return noise(chance)
    return hostile(chance)


def results(compiled: Script, data: list[dict[str, Any]]) -> list[Any]:
    """Return what comes of a script, its failure as the last."""
    found: list[Any] = []
    try:
        for point in islice(compiled(data), 1000):
            found.append(point)
    except PipeScriptError as error:
        assert error.time is not None, "it does not say at which point"
        found.append(str(error.reason))
    return found


def same(a: Any, b: Any) -> bool:
    """Tell whether two results are equal, a NaN to a NaN, too."""
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def hold(text: str, chance: random.Random) -> str:
    """Hold the engine to what is promised about a text; return what became of it."""
    try:
        compiled = Script(text, tz="UTC", limits=LIMITS)
    except PipeScriptError as error:
        assert error.position is not None or "too long" in error.reason, "it does not say where"
        assert str(error).endswith("^") or error.position is None or not text, f"{error} has no caret"
        return "refused"
    data = points(chance)
    first = results(compiled, data)
    if "rand" not in text:
        assert same(results(compiled, data), first), "a second run gives something else"
        try:
            written = str(compiled)
        except PipeScriptError:
            return "run"  # a text that no script can say in canonical form
        if len(written) <= LIMITS.length:
            again = results(Script(written, tz="UTC", limits=LIMITS), data)
            assert same(again, first), f"what is written, {written!r}, gives {again}, not {first}"
    return "failed" if first and isinstance(first[-1], str) else "run"


def main() -> int:
    """Hold the engine to its promises for many texts; return 1 at the first that breaks one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1_000_000, help="how many (1000000)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="where chance begins")
    parser.add_argument("--short", action="store_true", help="some 10 s")
    asked = parser.parse_args()
    number = 40_000 if asked.short else asked.texts
    print(f"{number:,} texts, --seed {asked.seed}", flush=True)

    def stuck(signum: int, frame: FrameType | None) -> None:
        raise Stuck

    signal.signal(signal.SIGPROF, stuck)
    chance = random.Random(asked.seed)
    became: Counter[str] = Counter()
    begin, slowest = time.process_time(), (0.0, "")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for at in range(number):
        text = text_of(chance)
        since = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, _PATIENCE)
        try:
            became[hold(text, chance)] += 1
        except BaseException as error:
            print(f"text {at}: {text[:2000]!r}\n{type(error).__name__}: {error}", file=sys.stderr)
            raise
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, (time.process_time() - since, text[:60]))
        if at % 50_000 == 49_999:
            print(f"{at + 1:,} in {time.process_time() - begin:.0f} s: {dict(became)}; slowest {slowest}", flush=True)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(
        f"{dict(became)} in {time.process_time() - begin:.0f} s; slowest {slowest[0]:.1f} s ({slowest[1]!r}); memory + {grown >> 20} MB"
    )
    if grown > _GROWTH:
        print(f"the process grew by more than {_GROWTH >> 20} MB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
