"""Has faults of some kinds, or of all, happen to subscriptions; see the package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..support.fault_command import Harness, Order
from ..support.fault_servers import Target
from .broken import VARIANTS, without
from .kinds import KINDS, Kind
from .runs import Outcome, run
from .stage import Stage

#: Faults within which what is broken must have been found.
_FOUND_WITHIN = 60

#: Of our server: little waits for a client that does not read, so that this is seen soon.
_CONFIG = "[websocket]\nwaiting_messages = 15\nwaiting_bytes = 262144\n"

#: Seconds that a broken subscription is waited for.
_IMPATIENCE = 3.0


@contextmanager
def _stage(work: Path, target: Target, rule: str) -> Iterator[Stage]:
    with without(rule), closing(Stage(target)) as stage:
        yield stage


def _run(kind: type[Kind], stage: Stage, order: Order) -> Outcome:
    return run(kind, stage, order, 1, _IMPATIENCE) if order.broken else run(kind, stage, order)


HARNESS = Harness("tests.live_faults", __doc__, KINDS, VARIANTS, _FOUND_WITHIN, _stage, _run, _CONFIG)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
