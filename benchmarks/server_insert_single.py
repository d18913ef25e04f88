"""
Inserts of one point from 16 connections, each durable when answered, against bare aiohttp doing the same group commit.

    python benchmarks/server_insert_single.py [--rounds 9] [--seconds 1] [--folder DIR] [--short]

Goal: 0.6 times its inserts a second. The client is one thread over bare sockets, in another process than the servers. In the
first line each connection has a stream of its own, in the second all share one; the third says what one connection gets, for
which nothing is promised: it waits for the disk, and then for two threads to wake each other. Behind each line stands the
processor time of an insert: where others use the machine, too, that says more, though no goal is set for it.
"""

from __future__ import annotations

import tempfile
import time
from itertools import repeat
from pathlib import Path

from _baselines import KEY, STREAM, STREAMS
from _database import filled
from _generator import Api, rate
from _programs import Program, baseline, ours
from _rounds import in_turns, options, report


def main() -> None:
    """Measure, and print the lines."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement (1)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk that is to be measured")
    arguments = parser.parse_args()
    rounds, seconds = (2, 0.2) if arguments.short else (arguments.rounds, arguments.seconds)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        with filled(folder / "ours") as filling:
            filling.devices([KEY])
        with ours(folder / "ours") as server, baseline("group", folder / "bare.db") as bare:
            api = Api(server.url, "", KEY)
            for path in STREAMS:
                api.stream(f"test/{KEY}", path.rpartition("/")[2])
            compare(f"{len(STREAMS)} connections, a stream each", server, bare, STREAMS, rounds, seconds)
            compare(
                f"{len(STREAMS)} connections, one stream",
                server,
                bare,
                [STREAM] * len(STREAMS),
                rounds,
                seconds,
            )
            compare("1 connection", server, bare, [STREAM], rounds, seconds, goal=0)


def compare(
    what: str, server: Program, bare: Program, paths: list[str], rounds: int, seconds: float, goal: float = 0.6
) -> None:
    """Measure both in turns, and print two lines."""
    taken: dict[Program, list[float]] = {server: [], bare: []}

    def measure(program: Program) -> float:
        api = Api(program.url, "", KEY)
        # every point has the same time: on connections that share a stream, a later one might overtake
        insert = [repeat(api.request("POST", f"{path}/data", b'[{"t":1500000000,"d":21.5}]')) for path in paths]
        before, start = program.processor(), time.perf_counter()
        answers = rate(api, insert, seconds)
        inserts = answers * (time.perf_counter() - start)
        taken[program].append((program.processor() - before) / inserts)
        return answers

    figures = in_turns({"ours": lambda: measure(server), "bare": lambda: measure(bare)}, rounds)
    title = f"one-point inserts, {what}"
    report(title, figures["ours"], figures["bare"], "inserts/s", least=goal, against="bare aiohttp")
    report(f"{title}, processor time", taken[server], taken[bare], "µs", against="bare aiohttp", scale=1e6)


if __name__ == "__main__":
    main()
