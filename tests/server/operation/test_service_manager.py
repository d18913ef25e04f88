"""Telling the service manager."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from connectordb.server import create
from connectordb.server.operation import service_manager
from connectordb.server.operation.service_manager import notify

from ...support.case import SOON, Case

TOP = Path(__file__).parents[3]


@unittest.skipIf(sys.platform == "win32", "there is no systemd there")
class NotifyTests(Case):
    """A real socket, as systemd has one."""

    def manager(self, name: str) -> socket.socket:
        """Return the manager's end."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(made.close)
        made.bind(name)
        made.settimeout(SOON)
        return made

    def test_nobody_asked(self) -> None:
        """Without a manager nothing happens."""
        with mock.patch.dict(os.environ):
            os.environ.pop("NOTIFY_SOCKET", None)
            notify("READY=1")

    @unittest.skipUnless(sys.platform.startswith("linux"), "abstract names are Linux's")
    def test_abstract(self) -> None:
        """A name that begins with @ is no file."""
        name = f"connectordb-test-{os.getpid()}"
        manager = self.manager(f"\0{name}")
        with mock.patch.dict(os.environ, NOTIFY_SOCKET=f"@{name}"):
            notify("READY=1")
        self.assertEqual(manager.recv(100), b"READY=1")

    def test_gone(self) -> None:
        """A manager that is not there is told of in the log, and no more."""
        with mock.patch.dict(os.environ, NOTIFY_SOCKET=str(self.folder() / "nobody")):
            with self.assertLogs(service_manager.log, "WARNING"):
                notify("READY=1")

    def test_a_service(self) -> None:
        """A server in the foreground says when it is ready and when it stops; SIGHUP does not end it."""
        folder = self.folder()
        manager = self.manager(str(folder / "notify"))
        create(folder / "db", test=True)
        program = f"from connectordb.server import Server; Server({str(folder / 'db')!r}).run()"
        environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        with subprocess.Popen([sys.executable, "-W", "error", "-c", program], cwd=TOP, env=environment) as process:
            self.assertEqual(manager.recv(100), b"READY=1")
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(manager.recv(100), b"STOPPING=1")
            self.assertEqual(process.wait(SOON), 0)
