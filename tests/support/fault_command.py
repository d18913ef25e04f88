"""The command of a fault harness: its options, its server, its kinds one after the other or among processes, and rules taken out."""

from __future__ import annotations

import argparse
import logging
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from .fault_runs import Kind, Outcome, each_kind, is_found, shared
from .fault_servers import GivenServer, OwnServer, Target

#: Faults of each kind, in a long run and in a short one.
_COUNT, _SHORT = 2000, 50


@dataclass(frozen=True)
class Order:
    """
    What a run of one kind is told.

    Attributes:
        count: How many faults.
        seed: What is random.
        features: Whether clients learn what our server can do beyond 0.3: ``on``, ``off``, or one after the other, ``both``.
        broken: Whether something is known to be wrong, and is to be found soon.
        until: When no further fault is begun, by `time.monotonic`.
    """

    count: int
    seed: int
    features: str
    broken: bool = False
    until: float = math.inf

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.until

    @property
    def turns(self) -> tuple[bool, ...]:
        """Whether what the server can do is passed on, from client to client in turns."""
        return (True, False) if self.features == "both" else (self.features == "on",)


class Variant(Protocol):
    """
    A rule that is taken out.

    Attributes:
        kind: The kind of faults that must find it.
        symptoms: Words of which one must be among what is found.
        features: As of `Order`; where one rule covers for another, only one of the two is asked.
    """

    @property
    def kind(self) -> str: ...
    @property
    def symptoms(self) -> tuple[str, ...]: ...
    @property
    def features(self) -> str: ...


K = TypeVar("K", bound=Kind)
S = TypeVar("S")


@dataclass(frozen=True)
class Harness(Generic[K, S]):
    """
    A harness, as its command needs it.

    Attributes:
        module: As which it is run.
        about: What its help says.
        kinds: Its kinds of faults, by name.
        variants: The rules that can be taken out, by name.
        found_within: Faults within which that must have been found.
        stage: Makes where all happens, for the length of a block, given a folder, a server and the name of a rule that is taken out.
        run: Has faults of a kind happen there.
        config: Text of our server's ``connectordb.toml``.
    """

    module: str
    about: str
    kinds: Mapping[str, K]
    variants: Mapping[str, Variant]
    found_within: int
    stage: Callable[[Path, Target, str], AbstractContextManager[S]]
    run: Callable[[K, S, Order], Outcome]
    config: str = ""

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run, as the command line says; return the status."""
        options = self._options(arguments)
        if options.jobs > 1 and not options.broken:
            return 1 if self._among_processes(options) else 0
        work = Path(tempfile.mkdtemp(prefix=f"connectordb-{self.module.rpartition('.')[2].replace('_', '-')}-"))
        logging.basicConfig(
            filename=work / "client.log",
            format="%(asctime)s %(threadName)s %(levelname)s %(name)s: %(message)s",
            level="INFO",
        )
        with closing(self._target(options, work)) as target:
            amiss = (self._broken if options.broken else self._faults)(options, target, work)
        if amiss:
            print(f"{amiss} are amiss; the files are kept in {work}", file=sys.stderr)
            return 1
        shutil.rmtree(work)
        return 0

    def _options(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        parser = argparse.ArgumentParser(prog=f"python -m {self.module}", description=self.about)
        names = ", ".join(self.kinds)
        parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"one of {names}; by default all of them")
        parser.add_argument("--count", type=int, default=_COUNT, help=f"faults of each kind (default {_COUNT})")
        parser.add_argument("--short", action="store_true", help=f"{_SHORT} of each, for CI")
        parser.add_argument(
            "--seed", type=int, default=None, help="what is random; printed, so that it can be repeated"
        )
        parser.add_argument(
            "--features",
            choices=("on", "off", "both"),
            default="both",
            help="whether a client learns what our server can do beyond 0.3; by default every other one does",
        )
        parser.add_argument(
            "--jobs", type=int, default=1, help="processes that share the kinds, each with a server of its own"
        )
        parser.add_argument(
            "--minutes", type=float, default=math.inf, help="of each kind, after which no further fault is begun"
        )
        parser.add_argument("--broken", action="store_true", help="take out one rule after the other, each to be found")
        parser.add_argument("--without", choices=self.variants, default="", help="take out that rule")
        given = parser.add_argument_group("a server that runs, instead of one of our own")
        given.add_argument("--url", default="")
        given.add_argument("--user", default="test", help="an administrator (default test)")
        given.add_argument("--password", default="test", help="(default test)")
        given.add_argument("--apikey", default="", help="an administrator's, instead of name and password")
        given.add_argument("--restart", default="", help="a command that kills it (-9) and starts it again")
        given.add_argument("--pid-file", default="", help="a file with its process, so that it can be stopped")
        options = parser.parse_args(arguments)
        unknown = [name for name in options.kinds if name not in self.kinds]
        if unknown:
            parser.error(f"no such kind: {', '.join(unknown)}; there are {names}")
        if options.jobs > 1 and options.url:
            parser.error("--jobs: of a server that is given there is only one")
        options.kinds = options.kinds or list(self.kinds)
        options.count = _SHORT if options.short else options.count
        options.seed = int.from_bytes(os.urandom(3), "big") if options.seed is None else options.seed
        return options

    def _target(self, options: argparse.Namespace, work: Path) -> Target:
        if not options.url:
            return OwnServer(work, self.config)
        credentials = (options.apikey,) if options.apikey else (options.user, options.password)
        return GivenServer(options.url, credentials, options.restart, options.pid_file)

    def _faults(self, options: argparse.Namespace, target: Target, work: Path) -> int:
        """Run the kinds; return how many faults had something wrong."""
        print(f"seed {options.seed}, {options.count} of each kind, against {options.url or 'our server'}", flush=True)

        def run(kind: K) -> Outcome:
            until = time.monotonic() + 60 * options.minutes
            return self.run(kind, stage, Order(options.count, options.seed, options.features, until=until))

        with self.stage(work, target, options.without) as stage:
            return each_kind(self.kinds, options.kinds, target.powers, run)

    def _among_processes(self, options: argparse.Namespace) -> int:
        """Have processes run the kinds; return how many of these found something wrong."""
        rest = ["--count", str(options.count), "--seed", str(options.seed), "--features", options.features]
        rest += ["--minutes", str(options.minutes)]
        rest += ["--without", options.without] if options.without else []
        return shared([self.module, *rest], options.kinds, options.jobs)

    def _broken(self, options: argparse.Namespace, target: Target, work: Path) -> int:
        """Have the kind that must find it happen to what is broken, rule by rule; return how many were not found."""

        def faults(name: str, variant: Variant) -> Outcome:
            folder = work / name
            folder.mkdir()
            order = Order(self.found_within, options.seed, variant.features, broken=True)
            with self.stage(folder, target, name) as stage:
                return self.run(self.kinds[variant.kind], stage, order)

        return sum(
            not is_found(name, variant.kind, variant.symptoms, partial(faults, name, variant))
            for name, variant in self.variants.items()
        )
