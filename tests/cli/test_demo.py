"""``connectordb demo``, from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connectordb import ConnectorDB
from connectordb.server import Server

from ..support.case import MS, Case
from ..support.command_line import PATIENCE, command, environment, here

#: When demos are interrupted: when they have said this, or have said nothing yet, while they are being loaded.
MOMENTS = ("", "sync failed", "came over")

#: What Python itself says of an interruption in the instant in which an import ends.
IGNORED = re.compile(r"Exception ignored in: <function _get_module_lock.*\n(?:.*\n)*?KeyboardInterrupt: \n")


class Demo(Case):
    """The whole job, and nothing left of it."""

    @classmethod
    def setUpClass(cls) -> None:
        """Start the demos that take long at once, as most of each is waiting."""
        super().setUpClass()
        cls.folders = {name: cls.class_folder() for name in ("whole", "keeping", *MOMENTS)}
        cls.kept = cls.class_folder() / "kept"
        cls.whole = cls.start(cls.folders["whole"])
        cls.keeping = cls.start(cls.folders["keeping"], "--keep", cls.kept)
        threads = ThreadPoolExecutor(len(MOMENTS))
        cls.addClassCleanup(threads.shutdown)
        cls.interrupted = {
            moment: threads.submit(cls.interrupt, moment, cls.start(cls.folders[moment])) for moment in MOMENTS
        }

    @classmethod
    def class_folder(cls) -> Path:
        """Return a new folder that goes with the class."""
        folder = tempfile.TemporaryDirectory(prefix="connectordb-test-")
        cls.addClassCleanup(folder.cleanup)
        return Path(folder.name)

    @classmethod
    def start(cls, temporary: Path, *arguments: object) -> subprocess.Popen[str]:
        """Start the demo, with its temporary files where they can be seen."""
        process = subprocess.Popen(
            command("demo", "--seconds", 2, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C in the middle of reading a module leaves its file open, of which Python would warn
            env=environment(TMPDIR=str(temporary), PYTHONWARNINGS="error,ignore::ResourceWarning"),
            start_new_session=True,
        )
        cls.addClassCleanup(process.communicate, timeout=PATIENCE)
        return process

    @staticmethod
    def interrupt(moment: str, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Interrupt a demo when it has said this, or before it has said anything; return how it ended."""
        assert process.stdout is not None
        if moment:
            while moment not in (line := process.stdout.readline()):
                if not line:
                    raise AssertionError("it ended by itself")
        else:
            loaded, tick = Path(f"/proc/{process.pid}/maps"), threading.Event()
            while loaded.exists() and "apsw" not in loaded.read_text():
                tick.wait(2 * MS)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=PATIENCE)
        return process.returncode, complaints

    def nothing_left(self, temporary: Path) -> None:
        """No file is left, and no process that worked on one."""
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
        told, complaints = self.whole.communicate(timeout=PATIENCE)
        self.assertEqual((self.whole.returncode, complaints), (0, ""))
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
        self.nothing_left(self.folders["whole"])
        told, complaints = self.keeping.communicate(timeout=PATIENCE)
        self.assertEqual((self.keeping.returncode, complaints), (0, ""))
        self.nothing_left(self.folders["keeping"])
        self.assertIn(f"connectordb start {self.kept}", told)
        with Server(self.kept / "database", port=0) as server, ConnectorDB("demo", "demo", url=server.url) as cdb:
            points = cdb("demo/machine/cpu")[:]
            self.assertGreater(len(points), 10)
            self.assertTrue(cdb("demo/room/lamp")[-1]["d"])
        again = here("demo", "--keep", self.kept)
        self.assertEqual(again.returncode, 2)
        self.assertIn("exists already", again.stderr)

    @unittest.skipUnless(Path("/proc/self/maps").exists(), "what a process has loaded is not told here")
    def test_ctrl_c(self) -> None:
        """Ctrl-C at any point ends it, and nothing is left; also while it is still being loaded."""
        for moment, ended in self.interrupted.items():
            with self.subTest(moment):
                status, complaints = ended.result(PATIENCE)
                self.assertEqual(IGNORED.sub("", complaints), "")
                # if it comes while a library's own code is being loaded, Python ends by the signal: 130 for shells, too
                self.assertIn(status, (130,) if moment else (130, -signal.SIGINT))
                self.nothing_left(self.folders[moment])

    def test_a_port_that_is_taken(self) -> None:
        """A port on which something listens is told, and the script is put away."""
        import socket

        temporary = self.folder()
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            process = self.start(temporary, "--port", other.getsockname()[1], "--keep", temporary / "kept")
            told, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(told, r"\AFAILED: port \d+ is in use.*another --port")
        self.assertFalse((temporary / "kept").exists())
        self.nothing_left(temporary)
