"""
Every run that a Logger, its network and a server can go through, in small; searched for one that goes wrong.

    python -m tests.logger.model                      all rules kept: no point lost, none twice, none out of order
    python -m tests.logger.model --all                the same, and without each rule in turn: that it is needed
    python -m tests.logger.model --without RULE       a shortest run that goes wrong without that rule
    python -m tests.logger.model --short              small worlds only, and each rule

The Logger's part is played by a whole pass of the package, from one request to the next.
"""

from __future__ import annotations

import argparse
import sys
import time

from .rules import RULES
from .search import search
from .worlds import LARGE, SHOWN, SMALL


def main() -> int:
    """Search, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", choices=RULES, metavar="RULE", help=f"one of: {', '.join(RULES)}")
    parser.add_argument("--all", action="store_true", help="take each rule out in turn as well")
    parser.add_argument("--short", action="store_true", help="small worlds only, and each rule: half a minute")
    options = parser.parse_args()
    if options.without:
        return 0 if needed(options.without, show_run=True) else 1
    good = kept(options.short)
    if options.all or options.short:
        good = all([needed(name) for name in RULES]) and good
    return 0 if good else 1


def kept(short: bool) -> bool:
    """Search the worlds with all rules kept; tell whether no run goes wrong."""
    states, good = 0, True
    for world in SMALL if short else SMALL + LARGE:
        began = time.monotonic()
        searched = search(world)
        states += searched.states
        print(
            f"{searched.states:9,} states, {searched.processes:6,} of the process, {time.monotonic() - began:5.1f} s: {world}",
            flush=True,
        )
        print("".join(f"    {line}\n" for line in searched.run), end="")
        good = good and not searched.run
    print(f"{'no run goes' if good else 'runs go'} wrong in {states:,} states")
    return good


def needed(name: str, show_run: bool = False) -> bool:
    """Search until a run goes wrong without a rule; tell whether one does."""
    searched = search(SHOWN[name], name)
    if not searched.run:
        print(f"without '{name}': nothing goes wrong in {searched.states:,} states")
        return False
    print(f"without '{name}': {searched.run[-1]} after {len(searched.run) - 1} steps", flush=True)
    if show_run:
        print(f"({RULES[name].text})\n{SHOWN[name]}")
        print("\n".join(f"    {line}" for line in searched.run))
    return True


if __name__ == "__main__":
    sys.exit(main())
