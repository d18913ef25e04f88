"""Runs faults of some kinds, or of all; see the package."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

from ..support.fault_runs import each_kind, is_found, shared
from ..support.fault_servers import GivenServer, OwnServer, Target
from .broken import VARIANTS, Variant
from .kinds import KINDS
from .runs import Outcome, run
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
    with closing(Stage(work, target, options.without)) as stage:
        return each_kind(
            *(KINDS, options.kinds or KINDS, target.powers),
            lambda kind: run(kind, stage, options.count, options.seed, options.features),
        )


def _shared(options: argparse.Namespace) -> int:
    """Have processes run the kinds; return how many of these found something wrong."""
    rest = ["--count", str(options.count), "--seed", str(options.seed), "--features", options.features]
    rest += ["--without", options.without] if options.without else []
    return shared(["tests.faults", *rest], options.kinds or list(KINDS), options.jobs)


def _broken(options: argparse.Namespace, target: Target, work: Path) -> int:
    """Run each broken Logger against the kind that has to find it; return how many were not found."""

    def faults(name: str, variant: Variant) -> Outcome:
        folder = work / name
        folder.mkdir()
        with closing(Stage(folder, target, name)) as stage:
            return run(KINDS[variant.kind], stage, _FOUND_WITHIN, options.seed, variant.features, enough=1)

    return sum(
        not is_found(name, variant.kind, variant.symptom, partial(faults, name, variant))
        for name, variant in VARIANTS.items()
    )


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
