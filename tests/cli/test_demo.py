"""``connectordb demo``, from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from connectordb import ConnectorDB

from ..support.case import Case
from ..support.command_line import PATIENCE, command, connectordb, environment


class Demo(Case):
    """The whole job, and nothing left of it."""

    def setUp(self) -> None:
        super().setUp()
        self.temporary = self.folder()

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start the demo, with its temporary files where they can be seen."""
        process = subprocess.Popen(
            command("demo", "--seconds", 2, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(TMPDIR=str(self.temporary)),
            start_new_session=True,
        )
        self.addCleanup(process.communicate, timeout=PATIENCE)
        return process

    def nothing_left(self) -> None:
        """No file is left, and no process that worked on one."""
        self.assertEqual(list(self.temporary.iterdir()), [])
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes()
            except OSError:
                continue  # it has ended
            self.assertNotIn(os.fsencode(self.temporary), line)

    def test_all_of_it(self) -> None:
        """Every comparison holds; in a pipe only they are told; nothing is left."""
        process = self.start()
        told, complaints = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, complaints), (0, ""))
        lines = told.splitlines()
        self.assertEqual([line for line in lines if not line.startswith("ok: ")], [])
        for words in (
            "sync failed",
            "wait on disk",
            "the backlog",
            "the lamp is on",
            "everything that was logged",
            "cpu[-1]",
        ):
            with self.subTest(words):
                self.assertTrue(any(words in line for line in lines), told)
        self.nothing_left()

    def test_kept(self) -> None:
        """With --keep the database is there, and can be started again as it says."""
        where = self.temporary / "kept"
        process = self.start("--keep", where)
        told, complaints = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, complaints), (0, ""))
        self.assertIn(f"connectordb start {where}", told)
        started = connectordb("start", where / "database", "--port", 0)
        self.addCleanup(connectordb, "stop", where / "database")
        with ConnectorDB("demo", "demo", url=started.stdout.split()[2]) as cdb:
            points = cdb("demo/machine/cpu")[:]
            self.assertGreater(len(points), 10)
            self.assertTrue(cdb("demo/room/lamp")[-1]["d"])
        again = connectordb("demo", "--keep", where)
        self.assertEqual(again.returncode, 2)
        self.assertIn("exists already", again.stderr)

    @unittest.skipIf(sys.platform == "win32", "no such signal there")
    def test_ctrl_c(self) -> None:
        """Ctrl-C at any point ends it, and nothing is left."""
        for moment in ("", "sync failed", "the backlog", "came over"):
            with self.subTest(moment):
                process = self.start()
                assert process.stdout is not None
                if moment:
                    while moment not in (line := process.stdout.readline()):
                        self.assertTrue(line, "it ended by itself")
                else:
                    threading.Event().wait(0.7)  # somewhere in its beginning
                process.send_signal(signal.SIGINT)
                _, complaints = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, complaints), (130, ""))
                self.nothing_left()

    def test_a_port_that_is_taken(self) -> None:
        """A port on which something listens is told, and the script is put away."""
        import socket

        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            process = self.start("--port", other.getsockname()[1], "--keep", self.temporary / "kept")
            told, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(told, r"\AFAILED: port \d+ is in use.*another --port")
        self.assertFalse((self.temporary / "kept").exists())
        self.nothing_left()
