"""Tests of how a program with a Logger ends: at its last line, by Ctrl-C, by SIGTERM, in the middle of everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from contextlib import closing
from pathlib import Path
from socket import create_server

from connectordb.logger.rows.store import Store
from connectordb.runtime import sqlite
from tests.support.case import SOON, Case
from tests.support.logger_cases import waiting

#: Threads log and say what was accepted; a sync hangs; the main thread says that they are at it, and ends or is interrupted.
_PROGRAM = """
import os, sys, threading, time
from connectordb.logger import Logger

path, durability, url, end = sys.argv[1:]
logger = Logger(path, apikey="key", durability=durability)
logger.serverurl = url
logger.addStream_force("s")

def log(at):
    accepted = os.open(f"{path}.{at}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for n in range(10**9):
        logger.insert("s", [at, n])
        os.write(accepted, b"%d\\n" % n)

for at in range(4):
    threading.Thread(target=log, args=[at], daemon=True).start()
logger.start()
while not all(os.path.exists(f"{path}.{at}") for at in range(4)):
    time.sleep(0.001)
time.sleep(0.05)
print("at it", flush=True)
if end != "exit":
    time.sleep(1000)
"""


@unittest.skipIf(os.name == "nt", "signals are other things there")
class ExitTests(Case):
    """Whatever ends a program, it ends at once, whatever a server says, and everything that was accepted is in a sound file, once."""

    def test_ends(self) -> None:
        """By itself, by Ctrl-C, by SIGTERM: while threads insert, a sync waits for a server that is silent."""
        with closing(create_server(("127.0.0.1", 0))) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            for durability, end in (("batched", "exit"), ("full", "SIGINT"), ("batched", "SIGTERM")):
                with self.subTest(durability=durability, end=end):
                    path = self.folder() / "a.db"
                    self._end(path, durability, url, end)
                    self._check(path)

    def _end(self, path: Path, durability: str, url: str, end: str) -> None:
        arguments = [sys.executable, "-c", _PROGRAM, str(path), durability, url, end]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            killing = threading.Timer(6 * SOON, process.kill)
            killing.start()
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), b"at it\n")
            if end != "exit":
                process.send_signal(getattr(signal, end))
            start = time.monotonic()
            process.wait()
            killing.cancel()
            self.assertLess(time.monotonic() - start, SOON / 2)
            self.assertEqual(process.returncode, 0 if end == "exit" else -getattr(signal, end))

    def _check(self, path: Path) -> None:
        accepted = [
            (at, int(line))
            for at in range(4)
            for line in Path(f"{path}.{at}").read_text().splitlines(keepends=True)
            if line.endswith("\n")
        ]
        store = Store(path)
        held = [tuple(json.loads(row.d)) for row in waiting(store, 1)]
        store.close()
        self.assertEqual(set(accepted) - set(held), set())
        self.assertEqual(len(set(held)), len(held))
        self.assertLessEqual(len(held), len(accepted) + 4)  # those that were being accepted
        with closing(sqlite.connect_to_read(path)) as connection:
            self.assertEqual(connection.pragma("integrity_check"), "ok")
