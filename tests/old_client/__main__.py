"""
The Python client 0.3.5, unchanged, against the embedded server.

    python -m tests.old_client [--short] [--url URL | --record URL]

It is installed from the package registry into an environment of its own, and runs through all that it can do; every byte that
it sends passes a recorder. What it sent and what it got are compared with ``recorded.txt``, which holds the same run against an
original 0.3 server. While it runs, the server is killed and started again several times.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
import time
from pathlib import Path

from ..support.server_process import ServerProcess
from . import environment
from .play import Played, play
from .rules import broken
from .transcript import LONG, read, transcript, write

RECORDED = Path(__file__).with_name("recorded.txt")

_ABOUT = """\
What the Python client 0.3.5 sent to an original ConnectorDB 0.3.0 server, and what it got: one paragraph a step, a line with
">" for each request (with name and password in brackets, and the content type) or websocket message, one with "<" for the
result. Made by `python -m tests.old_client --record URL`; names, UUIDs and times of the clock are left out.

"""

#: The server pings often, so that it is seen that the old client answers.
_CONFIG = "[websocket]\nping_seconds = 1.0\npong_seconds = 5.0\n"


def main() -> int:
    """Play, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="another server, with the administrator test/test, instead of the embedded one")
    parser.add_argument("--record", metavar="URL", help="write recorded.txt anew, from this original server")
    parser.add_argument("--short", action="store_true", help="do with less what takes more than a few seconds")
    options = parser.parse_args()
    began = time.monotonic()
    print(f"Python {sys.version.split()[0]}: {environment.versions()}")
    url = options.record or options.url
    played = _at(url, options.short) if url else _embedded(options.short)
    steps = transcript(played)
    print(f"{len(steps)} steps, {len(played.sent)} requests and messages, {time.monotonic() - began:.1f} s")
    slowest = sorted(played.seconds.items(), key=lambda item: -item[1])[:3]
    print("slowest:", ", ".join(f"{step} ({seconds:.1f} s)" for step, seconds in slowest))
    problems = broken(played.sent)
    if options.record:
        if options.short:
            parser.error("a short run cannot be recorded")
        RECORDED.write_text(_ABOUT + write(steps), encoding="utf-8")
    else:
        recorded = read(RECORDED.read_text(encoding="utf-8"))
        left_out = LONG if options.short else frozenset()
        expected, got = (
            {step: said for step, said in run.items() if step not in left_out} for run in (recorded, steps)
        )
        problems += _compare(expected, got)
        if not url and not any(message.line == "PONG" for message in played.sent):
            problems.append("the old client answered no ping, though the server was told to ping every second")
    for problem in problems:
        print(problem)
    if problems:
        print(f"--- what it printed:\n{played.noise[-6000:]}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


def _embedded(short: bool) -> Played:
    with tempfile.TemporaryDirectory(prefix="connectordb-test-") as folder:
        with ServerProcess(Path(folder), _CONFIG) as server:
            return play(server.url, server.kill, server.start, short)


def _at(url: str, short: bool) -> Played:
    """Play against a server that is not ours to kill: it is away by the recorder alone."""
    return play(url, lambda: None, lambda: None, short)


def _compare(recorded: dict[str, str], steps: dict[str, str]) -> list[str]:
    problems = []
    for step in {**recorded, **steps}:
        before, now = recorded.get(step, "(there is no such step)\n"), steps.get(step, "(this was not reached)\n")
        if before != now:
            lines = difflib.unified_diff(before.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=0)
            problems.append("\n".join([f"# {step}", *(f"  {line[:1000]}" for line in lines)]))
    return problems


if __name__ == "__main__":
    sys.exit(main())
