"""The sensor script that the demo runs."""

from __future__ import annotations

import json
import subprocess
import sys

from connectordb.cli.machine_log import STREAMS, Journal, readings
from connectordb.logger import Logger

from ..support.case import Case
from ..support.command_line import PATIENCE, environment


class Script(Case):
    """It logs until its standard input ends, and its journal says what it logged."""

    def test_readings(self) -> None:
        """There is a number for each stream."""
        taken = readings()
        self.assertEqual(taken.keys(), STREAMS.keys())
        for name, value in taken.items():
            with self.subTest(name):
                self.assertIsInstance(value, float)

    def test_journal(self) -> None:
        """What was written is read, but for a line that was cut short."""
        path = self.folder() / "journal"
        self.assertEqual(Journal.read(path), [])
        with Journal(path) as journal:
            journal.write(t=1, readings={"cpu": 5})
        with path.open("a", encoding="utf-8") as file:
            file.write('{"t": 2')
        self.assertEqual(Journal.read(path), [{"t": 1, "readings": {"cpu": 5}}])

    def test_ends_with_its_input(self) -> None:
        """Whoever started it need only close its standard input; what it logged waits in its file."""
        folder = self.folder()
        command = [
            sys.executable,
            "-m",
            "connectordb.cli.machine_log",
            folder / "x.db",
            folder / "journal",
            "http://127.0.0.1:9",
            "key",
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
            assert process.stdin is not None
            self.eventually(
                lambda: [line for line in Journal.read(folder / "journal") if "readings" in line], within=PATIENCE
            )
            _, complaints = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, complaints)
        lines = Journal.read(folder / "journal")
        logged = sum(1 for line in lines if "readings" in line)
        self.assertEqual(lines[-1], {"ended": True, "waiting": logged * len(STREAMS)})
        with Logger(folder / "x.db") as log:
            self.assertEqual(len(log), logged * len(STREAMS))
            self.assertEqual(json.loads(json.dumps(list(log.streams))), list(STREAMS))
