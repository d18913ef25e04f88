"""What the fault harnesses share: kinds of faults one after the other, or among processes, and rules taken out that must be found."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class Outcome(Protocol):
    """What came of a kind; its text has the figures."""

    faults: int
    wrong: list[str]


class Kind(Protocol):
    """A kind of fault, and what must be possible with the server for it."""

    needs: frozenset[str]


K = TypeVar("K", bound=Kind)


def each_kind(
    kinds: Mapping[str, K], names: Iterable[str], powers: Collection[str], run: Callable[[K], Outcome]
) -> int:
    """
    Have faults of each kind, and print what came of it; return how many had something wrong.

    Args:
        kinds: All there are.
        names: Those that are wanted.
        powers: What can be done to the server.
        run: Has the faults of a kind.
    """
    wrong = 0
    for name in names:
        impossible = sorted(kinds[name].needs - set(powers))
        if impossible:
            print(f"{name}: left out: the server cannot be made to {' or '.join(impossible)}")
            continue
        began = time.monotonic()
        outcome = run(kinds[name])
        print(f"{name}: {outcome}; {time.monotonic() - began:.1f} s", flush=True)
        for found in outcome.wrong:
            print(f"WRONG: {found}", flush=True)
        wrong += len(outcome.wrong)
    return wrong


def is_found(name: str, kind: str, symptoms: Sequence[str], run: Callable[[], Outcome]) -> bool:
    """
    Have faults happen where a rule was taken out; print and tell whether that was found.

    Args:
        name: What the rule is called.
        kind: The kind of faults that has to find it.
        symptoms: Words of which one must be among what is found.
        run: Has the faults.
    """
    began = time.monotonic()
    outcome = run()
    lines = [line for wrong in outcome.wrong for line in wrong.splitlines()[1:]]
    found = next((line for line in lines if any(symptom in line for symptom in symptoms)), "")
    what = (
        f"found by {kind} after {outcome.faults} faults: {found}" if found else f"NOT FOUND by {kind}: {outcome.wrong}"
    )
    print(f"{name}: {what}; {time.monotonic() - began:.1f} s", flush=True)
    return bool(found)


def shared(command: Sequence[str], kinds: Sequence[str], jobs: int) -> int:
    """
    Have processes run the kinds, each some of them; return how many of these found something wrong.

    Args:
        command: What runs a harness: its module, and what all get; the kinds follow.
        kinds: Which.
        jobs: How many processes, at most.
    """
    shares = [kinds[number :: min(jobs, len(kinds))] for number in range(min(jobs, len(kinds)))]
    processes = [subprocess.Popen([sys.executable, "-m", *command, *share]) for share in shares]
    return sum(process.wait() != 0 for process in processes)
