"""Runs faults of some kinds, or of all; see the package."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, closing
from pathlib import Path

from ..support.fault_command import Harness, Order
from ..support.fault_servers import Target
from .broken import VARIANTS
from .kinds import KINDS, Kind
from .runs import Outcome, run
from .stage import Stage

#: Faults within which a Logger that is broken must have been found.
_FOUND_WITHIN = 100


def _stage(work: Path, target: Target, without: str) -> AbstractContextManager[Stage]:
    return closing(Stage(work, target, without))


def _run(kind: type[Kind], stage: Stage, order: Order) -> Outcome:
    return run(kind, stage, order, 1) if order.broken else run(kind, stage, order)


HARNESS = Harness("tests.faults", __doc__, KINDS, VARIANTS, _FOUND_WITHIN, _stage, _run)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
