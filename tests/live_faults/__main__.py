"""Has faults of some kinds, or of all, happen to subscriptions; see the package."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

from ..support.fault_runs import each_kind, is_found, shared
from ..support.fault_servers import GivenServer, OwnServer, Target
from .broken import VARIANTS, Variant, without
from .kinds import KINDS
from .runs import Outcome, run
from .stage import Stage

#: Faults of each kind, in a short run, and within which what is broken must have been found.
_COUNT, _SHORT, _FOUND_WITHIN = 2000, 50, 60

#: Seconds that a broken subscription is waited for.
_IMPATIENCE = 3.0

#: Of our server: little waits for a client that does not read, so that this is seen soon.
_CONFIG = "[websocket]\nwaiting_messages = 15\nwaiting_bytes = 262144\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.live_faults", description=__doc__)
    parser.add_argument(
        "--kind", nargs="+", dest="kinds", default=[], choices=KINDS, metavar="KIND", help=", ".join(KINDS)
    )
    parser.add_argument("--count", type=int, default=_COUNT, help=f"faults of each kind (default {_COUNT})")
    parser.add_argument("--short", action="store_true", help=f"{_SHORT} of each, for CI")
    parser.add_argument("--seed", type=int, default=None, help="what is random; printed, so that it can be repeated")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the kinds, each with its own server")
    parser.add_argument(
        "--without-features",
        action="store_true",
        help="pass nothing on of what our server can do beyond 0.3; by default every other client learns it",
    )
    parser.add_argument("--broken", action="store_true", help="take out one rule after the other, each to be found")
    parser.add_argument("--without", choices=VARIANTS, default="", help="take out that rule")
    given = parser.add_argument_group("a server that runs, instead of one of our own")
    given.add_argument("--server", default="", metavar="URL,USER,PASSWORD", help="and an administrator")
    given.add_argument("--restart", default="", help="a command that kills it (-9) and starts it again")
    given.add_argument("--pid-file", default="", help="a file with its process, so that it can be stopped for a while")
    options = parser.parse_args()
    if options.server and len(options.server.split(",")) != 3:
        parser.error("--server: expected URL,USER,PASSWORD")
    if options.jobs > 1 and options.server:
        parser.error("--jobs: of a server that is given there is only one")
    options.count = _SHORT if options.short else options.count
    options.seed = int.from_bytes(os.urandom(3), "big") if options.seed is None else options.seed
    return options


def _target(options: argparse.Namespace, work: Path) -> Target:
    if not options.server:
        return OwnServer(work, _CONFIG)
    url, *credentials = options.server.split(",")
    return GivenServer(url, tuple(credentials), options.restart, options.pid_file)


def _faults(options: argparse.Namespace, target: Target) -> int:
    """Run the kinds; return how many faults had something wrong."""
    print(f"seed {options.seed}, {options.count} of each kind, against {options.server or 'our server'}", flush=True)
    features = (False,) if options.without_features else (True, False)
    with without(options.without), closing(Stage(target)) as stage:
        return each_kind(
            *(KINDS, options.kinds or KINDS, target.powers),
            lambda kind: run(kind, stage, options.count, options.seed, features),
        )


def _shared(options: argparse.Namespace) -> int:
    """Have processes run the kinds; return how many of these found something wrong."""
    rest = ["--count", str(options.count), "--seed", str(options.seed)]
    rest += ["--without-features"] if options.without_features else []
    rest += ["--without", options.without] if options.without else []
    return shared(["tests.live_faults", *rest, "--kind"], options.kinds or list(KINDS), options.jobs)


def _broken(options: argparse.Namespace, target: Target) -> int:
    """Have the kind that must find it happen to each broken subscription; return how many were not found."""

    def faults(name: str, variant: Variant) -> Outcome:
        with without(name), closing(Stage(target)) as stage:
            features = (variant.announced,)
            return run(KINDS[variant.kind], stage, _FOUND_WITHIN, options.seed, features, 1, _IMPATIENCE)

    return sum(
        not is_found(name, variant.kind, variant.symptoms, partial(faults, name, variant))
        for name, variant in VARIANTS.items()
    )


def main() -> int:
    """Run, as the command line says; return the status."""
    options = _arguments()
    if options.jobs > 1 and not options.broken:
        return 1 if _shared(options) else 0
    work = Path(tempfile.mkdtemp(prefix="connectordb-live-faults-"))
    logging.basicConfig(
        filename=work / "client.log",
        format="%(asctime)s %(threadName)s %(levelname)s %(name)s: %(message)s",
        level="INFO",
    )
    with closing(_target(options, work)) as target:
        amiss = (_broken if options.broken else _faults)(options, target)
    if amiss:
        print(f"{amiss} are amiss; the logs are kept in {work}", file=sys.stderr)
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
