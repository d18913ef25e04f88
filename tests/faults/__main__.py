"""Runs faults of some kinds, or of all; see the package."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from ..support.fault_jobs import shared
from ..support.fault_servers import GivenServer, OwnServer, Target
from .broken import VARIANTS
from .kinds import KINDS
from .runs import run
from .stage import Stage

#: Faults of each kind, in a short run, and within which a Logger that is broken must have been found.
_COUNT, _SHORT, _FOUND_WITHIN = 2000, 50, 100


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"one of {', '.join(KINDS)}; by default all of them")
    parser.add_argument("--count", type=int, default=_COUNT, help=f"faults of each kind (default {_COUNT})")
    parser.add_argument("--short", action="store_true", help=f"{_SHORT} of each, for CI")
    parser.add_argument("--seed", type=int, default=None, help="what is random; printed, so that it can be repeated")
    parser.add_argument(
        "--features",
        choices=("on", "off", "both"),
        default="both",
        help="whether a Logger learns what our server can do beyond 0.3; by default every other one does",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, help="processes that share the kinds, each with a server of its own"
    )
    parser.add_argument("--broken", action="store_true", help="have Loggers with a rule taken out, each to be found")
    parser.add_argument("--without", choices=VARIANTS, default="", help="have Loggers with that rule taken out")
    given = parser.add_argument_group("a server that runs, instead of one of our own")
    given.add_argument("--url", default="")
    given.add_argument("--user", default="test", help="an administrator (default test)")
    given.add_argument("--password", default="test", help="(default test)")
    given.add_argument("--apikey", default="", help="an administrator's, instead of name and password")
    given.add_argument("--restart", default="", help="a command that kills it (-9) and starts it again")
    given.add_argument("--pid-file", default="", help="a file with its process, so that it can be stopped for a while")
    options = parser.parse_args()
    unknown = [name for name in options.kinds if name not in KINDS]
    if unknown:
        parser.error(f"no such kind: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    if options.jobs > 1 and options.url:
        parser.error("--jobs: of a server that is given there is only one")
    options.count = _SHORT if options.short else options.count
    options.seed = int.from_bytes(os.urandom(3), "big") if options.seed is None else options.seed
    return options


def _target(options: argparse.Namespace, work: Path) -> Target:
    if not options.url:
        return OwnServer(work)
    credentials = (options.apikey,) if options.apikey else (options.user, options.password)
    return GivenServer(options.url, credentials, options.restart, options.pid_file)


def _faults(options: argparse.Namespace, target: Target, work: Path) -> int:
    """Run the kinds; return how many faults had something wrong."""
    print(f"seed {options.seed}, {options.count} of each kind, against {options.url or 'our server'}", flush=True)
    wrong = 0
    with closing(Stage(work, target, options.without)) as stage:
        for name in options.kinds or KINDS:
            kind = KINDS[name]
            if kind.needs - target.powers:
                print(
                    f"{name}: left out: the server cannot be made to {' or '.join(sorted(kind.needs - target.powers))}"
                )
                continue
            began = time.monotonic()
            outcome = run(kind, stage, options.count, options.seed, options.features)
            print(f"{name}: {outcome}; {time.monotonic() - began:.1f} s", flush=True)
            for found in outcome.wrong:
                print(f"WRONG: {found}", flush=True)
            wrong += len(outcome.wrong)
    return wrong


def _shared(options: argparse.Namespace) -> int:
    """Have processes run the kinds; return how many of these found something wrong."""
    rest = ["--count", str(options.count), "--seed", str(options.seed), "--features", options.features]
    rest += ["--without", options.without] if options.without else []
    return shared(["tests.faults", *rest], options.kinds or list(KINDS), options.jobs)


def _broken(options: argparse.Namespace, target: Target, work: Path) -> int:
    """Run each broken Logger against the kind that has to find it; return how many were not found."""
    missed = 0
    for name, variant in VARIANTS.items():
        folder = work / name
        folder.mkdir()
        began = time.monotonic()
        with closing(Stage(folder, target, name)) as stage:
            outcome = run(KINDS[variant.kind], stage, _FOUND_WITHIN, options.seed, variant.features, enough=1)
        lines = [line for wrong in outcome.wrong for line in wrong.splitlines()[1:]]
        found = next((line for line in lines if any(symptom in line for symptom in variant.symptom)), "")
        missed += not found
        what = (
            f"found by {variant.kind} after {outcome.faults} faults: {found}"
            if found
            else f"NOT FOUND by {variant.kind}: {outcome.wrong}"
        )
        print(f"{name}: {what}; {time.monotonic() - began:.1f} s", flush=True)
    return missed


def main() -> int:
    """Run, as the command line says; return the status."""
    options = _arguments()
    if options.jobs > 1 and not options.broken:
        return 1 if _shared(options) else 0
    work = Path(tempfile.mkdtemp(prefix="connectordb-faults-"))
    with closing(_target(options, work)) as target:
        amiss = (_broken if options.broken else _faults)(options, target, work)
    if amiss:
        print(f"{amiss} are amiss; the files are kept in {work}", file=sys.stderr)
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
