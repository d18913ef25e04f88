"""Makes every call that touches the network meet every fault; see the package."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from connectordb import Retry, Timeout

from ..support.server_process import ServerProcess
from .broken import VARIANTS
from .calls import CALLS
from .faults import FAULTS
from .page import relist, rewrite, write
from .table import have
from .trial import Meeting, Result, meetings

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

#: What connections are made with: impatient, so that the table takes a minute or two.
OPTIONS: dict[str, Any] = {
    "timeout": Timeout(connect=0.6, read=0.6, total=3.0),
    "retry": Retry(first_backoff=0.01, max_backoff=0.05),
}

#: Of the server: all stages are at one address.
_CONFIG = "[limits]\nconnections_per_address = 2000\n"

_OPTIONS_SHOWN = (
    "``timeout=Timeout(connect=0.6, read=0.6, total=3)`` and ``retry=Retry(first_backoff=0.01, max_backoff=0.05)``"
)

#: Seconds that a call may take with these.
DEADLINE = 3.0

#: In a short run one of so many meetings is had.
_SHORT = 12


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.call_faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="some of them, for CI: seconds")
    parser.add_argument(
        "--call", nargs="+", default=[], metavar="WORD", help="only calls with one of these in their label"
    )
    parser.add_argument("--fault", nargs="+", default=[], choices=FAULTS, metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--broken", action="store_true", help="take out one rule after the other, each to be found")
    parser.add_argument("--page", action="store_true", help="write docs/topics/faults.rst; with --fault those alone")
    parser.add_argument(
        "--lists", action="store_true", help="only list anew in it which calls there are, and run nothing"
    )
    parser.add_argument("--list", action="store_true", help="print each result")
    options = parser.parse_args()
    if options.page and (options.short or options.call):
        parser.error("--page: for all calls of a fault, not for some")
    return options


def _planned(options: argparse.Namespace) -> list[Meeting]:
    calls = [call for label, call in CALLS.items() if not options.call or any(word in label for word in options.call)]
    planned = list(meetings(calls, [FAULTS[name] for name in options.fault or FAULTS]))
    return planned[:: _SHORT if options.short else 1]


def _note(found: list[str], result: Result) -> None:
    found += result.wrong


def _broken() -> int:
    """Have each broken client meet what must find it; return how many were not found."""
    missed = 0
    work = Path(tempfile.mkdtemp(prefix="connectordb-call-faults-"))
    with ServerProcess(work, _CONFIG, cheap_passwords=True) as server:
        for name, variant in VARIANTS.items():
            began = time.monotonic()
            found: list[str] = []
            planned = list(meetings([CALLS[variant.call]], [FAULTS[variant.fault]]))
            with variant.patch():
                have(server.url, work / name, planned, OPTIONS, DEADLINE, partial(_note, found))
            seen = next((wrong for wrong in found if any(symptom in wrong for symptom in variant.symptoms)), "")
            missed += not seen
            what = (
                f"found by {variant.call} × {variant.fault}: {seen.splitlines()[0]:.150}"
                if seen
                else f"NOT FOUND: {found}"
            )
            print(f"{name}: {what}; {time.monotonic() - began:.1f} s", flush=True)
    shutil.rmtree(work)
    return missed


def main() -> int:
    """Run, as the command line says; return the status."""
    options = _arguments()
    if options.broken:
        return 1 if _broken() else 0
    if options.lists:
        relist()
        return 0
    for name in _PROXIES:
        os.environ.pop(name, None)
    planned = _planned(options)
    results: list[Result] = []
    work = Path(tempfile.mkdtemp(prefix="connectordb-call-faults-"))
    lock = threading.Lock()

    def tell(result: Result) -> None:
        with lock:
            results.append(result)
            if options.list:
                print(
                    f"{result.meeting}: {result.outcome or 'returned'}, {result.requests} requests, {result.tries} tries, "
                    f"{result.seconds:.2f} s {result.text:.150}"
                )
            for wrong in result.wrong:
                print(f"WRONG: {result.meeting}: {wrong}", flush=True)

    began = time.monotonic()
    with ServerProcess(work, _CONFIG, cheap_passwords=True) as server:
        wrong = have(server.url, work, planned, OPTIONS, DEADLINE, tell)
    for what in wrong:
        print(f"WRONG: {what}")
    outcomes = Counter(result.outcome or "returned" for result in results)
    amiss = len(wrong) + sum(bool(result.wrong) for result in results)
    print(
        f"{len({result.meeting.call.label for result in results})} calls, {len(options.fault or FAULTS)} faults, {len(results)} meetings "
        f"in {time.monotonic() - began:.0f} s, {sum(result.requests for result in results)} requests; "
        + ", ".join(f"{outcome} {number}" for outcome, number in outcomes.most_common())
        + f"; {amiss} amiss"
    )
    if options.page and options.fault:
        rewrite(results)
    elif options.page:
        write(results, _OPTIONS_SHOWN, DEADLINE)
    if amiss:
        print(f"the server's log is kept in {work}", file=sys.stderr)
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
