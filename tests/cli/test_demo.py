"""``connectordb demo``, from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connectordb import ConnectorDB
from connectordb.server import Server

from ..support.case import Case
from ..support.command_line import PATIENCE, command, environment, here


class Demo(Case):
    """The whole job, and nothing left of it."""

    def setUp(self) -> None:
        super().setUp()
        self.temporary = self.folder()

    def start(self, *arguments: object, temporary: Path | None = None) -> subprocess.Popen[str]:
        """Start the demo, with its temporary files where they can be seen."""
        process = subprocess.Popen(
            command("demo", "--seconds", 2, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C in the middle of reading a module leaves its file open, of which Python would warn
            env=environment(TMPDIR=str(temporary or self.temporary), PYTHONWARNINGS="error,ignore::ResourceWarning"),
            start_new_session=True,
        )
        self.addCleanup(process.communicate, timeout=PATIENCE)
        return process

    def nothing_left(self, temporary: Path | None = None) -> None:
        """No file is left, and no process that worked on one."""
        temporary = temporary or self.temporary
        self.assertEqual(list(temporary.iterdir()), [])
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes()
            except OSError:
                continue  # it has ended
            self.assertNotIn(os.fsencode(temporary), line)

    def test_all_of_it(self) -> None:
        """
        Every comparison holds; in a pipe only they are told; nothing is left.

        With --keep the database is there, and can be started again as it says.
        """
        where = self.folder() / "kept"
        process, keeping = self.start(), self.start("--keep", where)
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
        told, complaints = keeping.communicate(timeout=PATIENCE)
        self.assertEqual((keeping.returncode, complaints), (0, ""))
        self.nothing_left()
        self.assertIn(f"connectordb start {where}", told)
        with Server(where / "database", port=0) as server, ConnectorDB("demo", "demo", url=server.url) as cdb:
            points = cdb("demo/machine/cpu")[:]
            self.assertGreater(len(points), 10)
            self.assertTrue(cdb("demo/room/lamp")[-1]["d"])
        again = here("demo", "--keep", where)
        self.assertEqual(again.returncode, 2)
        self.assertIn("exists already", again.stderr)

    @unittest.skipUnless(Path("/proc/self/maps").exists(), "what a process has loaded is not told here")
    def test_ctrl_c(self) -> None:
        """Ctrl-C at any point ends it, and nothing is left; also while it is still being loaded."""
        # shells have what they start in the background ignore it, and so would the processes that are started here
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        folders = {moment: self.folder() for moment in ("", "sync failed", "came over")}
        with ThreadPoolExecutor() as threads:
            ended = dict(zip(folders, threads.map(self.interrupted, folders, folders.values()), strict=True))
        for moment, (status, complaints) in ended.items():
            with self.subTest(moment):
                self.assertEqual((status, complaints), (130, ""))
                self.nothing_left(folders[moment])

    def interrupted(self, moment: str, folder: Path) -> tuple[int, str]:
        """Start the demo and interrupt it when it has said this, or before it has said anything; return how it ended."""
        process = self.start(temporary=folder)
        assert process.stdout is not None
        if moment:
            while moment not in (line := process.stdout.readline()):
                self.assertTrue(line, "it ended by itself")
        else:
            loaded = Path(f"/proc/{process.pid}/maps")
            self.eventually(lambda: "apsw" in loaded.read_text(), within=PATIENCE)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=PATIENCE)
        return process.returncode, complaints

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
