"""Whether the server is ready."""

from __future__ import annotations

import shutil
from unittest import mock

import requests

from connectordb.server.operation import health
from connectordb.server.operation.health import Health
from connectordb.server.storage import State

from ...support.case import SOON, Case
from ...support.server import run_server


class HealthTests(Case):
    """Ready, or why not."""

    def why_not(self, **state: object) -> str:
        """Return why a server with such a storage is not ready."""
        storage = mock.Mock()
        storage.state.return_value = State(**state)  # type: ignore[arg-type]
        return Health(storage, self.folder()).why_not()

    def test_reasons(self) -> None:
        """What keeps it from working is told, and nothing else."""
        self.assertEqual(self.why_not(), "")
        self.assertIn("start the server again", self.why_not(broken="secret"))
        self.assertNotIn("secret", self.why_not(broken="secret"))
        self.assertEqual(self.why_not(full=True), "the disk is full")
        usage = shutil._ntuple_diskusage(10, 10, 0)  # type: ignore[attr-defined]
        with mock.patch.object(health.shutil, "disk_usage", return_value=usage):
            self.assertEqual(self.why_not(), "the disk is full")
        with mock.patch.object(health.shutil, "disk_usage", side_effect=OSError):
            self.assertEqual(self.why_not(), "")

    def test_answers(self) -> None:
        """Anybody may ask, by GET or HEAD; credentials are not looked at."""
        with run_server() as server, requests.Session() as http:
            http.trust_env = False
            for auth in (None, ("test", "wrong")):
                answer = http.get(f"{server.url}/health", auth=auth, timeout=SOON)
                self.assertEqual((answer.status_code, answer.json()), (200, {"status": "ready"}))
                self.assertIn("no-store", answer.headers["Cache-Control"])
            self.assertEqual(http.head(f"{server.url}/health", timeout=SOON).status_code, 200)
            with mock.patch.object(Health, "why_not", return_value="the disk is full"):
                answer = http.get(f"{server.url}/health", timeout=SOON)
            self.assertEqual((answer.status_code, answer.json()["msg"]), (503, "not ready: the disk is full"))
            self.assertIn("Retry-After", answer.headers)
