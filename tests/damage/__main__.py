"""
Damage every page of cache files of several shapes, and say what is missing that should be there.

    python -m tests.damage [--seed N] [--most PAGES] [--shape NAME] [--short]

Ends with a status of 1 if something is.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .harm import HARMS, Harmed, cut_off, differences, frames, log_harmed, page_harmed
from .shapes import PAGE, SHAPES, Shape, made


def main() -> int:
    """Damage, open, compare; return the status to end with."""
    parser = argparse.ArgumentParser(prog="python -m tests.damage")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--shape", choices=[*SHAPES], action="append")
    parser.add_argument("--short", action="store_true", help="three pages of each file, for half a minute")
    parser.add_argument("--most", type=int, default=200, help="pages of a file that are damaged")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    wrong = 0
    for name in given.shape or SHAPES:
        for log in (False, True):
            chance = random.Random(given.seed)
            began, tried, mended = time.monotonic(), 0, 0
            with tempfile.TemporaryDirectory(prefix="connectordb-damage-") as folder:
                shape = made(name, Path(folder), log)
                for harmed in _harmed(shape, Path(folder) / "harmed", 3 if given.short else given.most, chance):
                    tried += 1
                    for difference in differences(shape, harmed):
                        wrong += 1
                        print(f"{name}: {difference}", flush=True)
                    mended += any(".damaged-" in path.name for path in harmed.path.parent.iterdir())
            print(
                f"{name}{', with a log' * log}: {shape_size(shape)}; damaged {tried} times, {mended} mended, "
                f"{time.monotonic() - began:.0f} s",
                flush=True,
            )
    print(f"seed {given.seed}: {wrong} things wrong")
    return 1 if wrong else 0


def shape_size(shape: Shape) -> str:
    """Say how much there was."""
    return f"{sum(map(len, shape.waiting.values()))} rows wait in {len(shape.waiting)} pages"


def _harmed(shape: Shape, folder: Path, most: int, chance: random.Random) -> Iterator[Harmed]:
    last = shape.pages
    pages = range(1, last + 1) if last <= most else sorted(chance.sample(range(1, last + 1), most))
    for harm in HARMS:
        for page in pages:
            yield page_harmed(shape, _empty(folder), harm, page, chance)
    logged = frames(shape)
    for harm in HARMS:
        for frame in logged if len(logged) <= most else chance.sample(logged, most):
            yield log_harmed(shape, _empty(folder), harm, frame, chance)
    if logged:
        yield log_harmed(shape, _empty(folder), "zeroed", None, chance)
        yield log_harmed(shape, _empty(folder), "random", None, chance)
    for page in pages:
        yield cut_off(shape, _empty(folder), (page - 1) * PAGE)
        yield cut_off(shape, _empty(folder), (page - 1) * PAGE + chance.randrange(1, PAGE))


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
