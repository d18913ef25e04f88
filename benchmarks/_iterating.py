"""
A program that goes through all points of the stream ``s``, and nothing else, so that its memory is that of the client.

    python benchmarks/_iterating.py points|pages URL KEY

It prints how many there were, the KiB that the process took at its highest, and the seconds.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from connectordb import ConnectorDB

way, url, key = sys.argv[1:]
with ConnectorDB(key, url=url) as cdb:
    stream = cdb["s"]
    began = time.perf_counter()
    number = sum(1 for _ in stream) if way == "points" else sum(map(len, stream.pages()))
    seconds = time.perf_counter() - began
    # getrusage() would tell of the program that started this one, if that took more
    highest = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert highest is not None
    print(number, highest[1], seconds)
