"""Lines from a pipe are logged as they come, and none that was read is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from connectordb.logger import Logger

from ..support.case import Case
from ..support.command_line import PATIENCE, command, environment


@unittest.skipIf(sys.platform == "win32", "signals are others there")
class Pipes(Case):
    """A program writes, and the command reads."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "cache.db"
        with Logger(self.path) as log:
            log.addStream_force("s")

    def started(self, *options: str) -> subprocess.Popen[bytes]:
        """Start the command."""
        process = subprocess.Popen(
            command("log", self.path, "insert", "s", *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def write(self, process: subprocess.Popen[bytes], text: bytes) -> None:
        """Write into its pipe."""
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.flush()

    def test_as_they_come(self) -> None:
        """A line is logged when it is there, not when the pipe ends; half a line waits for its end."""
        process = self.started()
        with Logger(self.path) as log:
            self.write(process, b"1\n2\n3")
            self.eventually(lambda: len(log) == 2, "two lines", PATIENCE)
            self.write(process, b"4\n")
            self.eventually(lambda: len(log) == 3, "the third line")
            self.write(process, b"5")
            _, said = process.communicate(timeout=PATIENCE)
            self.assertEqual([point["d"] for point in log.waiting()], [1, 2, 34, 5])
        self.assertEqual((process.returncode, said), (0, b"4 points logged\n"))

    def test_interrupted(self) -> None:
        """Ctrl-C, and SIGTERM, end it; what was read is there."""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process = self.started()
                with Logger(self.path) as log:
                    log.cleardata()
                    self.write(process, b"1\n2\n")
                    self.eventually(lambda: len(log) == 2, "two lines", PATIENCE)
                    process.send_signal(number)
                    _, said = process.communicate(timeout=PATIENCE)
                    self.assertEqual((process.returncode, said), (130, b"2 points logged\n"))

    def test_interrupted_at_work(self) -> None:
        """In the middle of many lines, what it says that it logged is what is there."""
        process = self.started("--json")
        numbers = b"".join(b"%d\n" % number for number in range(60_000))
        feeding = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys, shutil; shutil.copyfileobj(open(sys.argv[1]), sys.stdout)",
                self.file(numbers),
            ],
            stdout=process.stdin,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(feeding.wait)
        with Logger(self.path) as log:
            self.eventually(lambda: len(log) > 100, "some lines", PATIENCE)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=PATIENCE)
            logged = len(log)
            self.assertEqual(said, b'{"logged":%d,"refused":0}\n' % logged)
            self.assertEqual([point["d"] for point in log.waiting()], list(range(logged)))

    def file(self, content: bytes) -> Path:
        """Return a file."""
        path = self.folder() / "lines"
        path.write_bytes(content)
        os.chmod(path, 0o600)
        return path
