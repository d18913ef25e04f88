"""Sharing the kinds of a fault harness among processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


def shared(command: Sequence[str], kinds: Sequence[str], jobs: int) -> int:
    """
    Have processes run the kinds, each some of them; return how many of these found something wrong.

    Args:
        command: What runs a harness: its module, and what all get; the kinds follow.
        kinds: Which.
        jobs: How many processes, at most.
    """
    shares = [kinds[number :: min(jobs, len(kinds))] for number in range(min(jobs, len(kinds)))]
    processes = [subprocess.Popen([sys.executable, "-m", *command, *share]) for share in shares]
    return sum(process.wait() != 0 for process in processes)
