"""The port for Prometheus."""

from __future__ import annotations

import sys
import unittest
from unittest import mock

import requests

from connectordb.exceptions import ConfigurationError
from connectordb.server.config import Config, Metrics

from ...support.case import SOON, Case
from ...support.server import run_server
from ..operation.test_metrics import figures


class PortTests(Case):
    """A real server, asked as Prometheus asks."""

    def test_figures(self) -> None:
        """What the server did is told on a port of its own, to anybody who reaches it."""
        with run_server(config=Config(metrics=Metrics(port=0))) as server, requests.Session() as http:
            http.trust_env = False
            root, auth = f"{server.url}/api/v1", ("test", "test")
            http.post(f"{root}/crud/test/user/s", json={}, auth=auth, timeout=SOON)
            points = [{"t": t, "d": t} for t in range(1, 11)]
            self.assertEqual(
                http.post(f"{root}/crud/test/user/s/data", json=points, auth=auth, timeout=SOON).text, "ok"
            )
            self.assertEqual(http.get(f"{root}/?q=this", auth=("test", "no"), timeout=SOON).status_code, 401)
            assert server.metrics_url is not None
            answer = http.get(server.metrics_url, timeout=SOON)
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))
            found = figures(answer.content)
            self.assertEqual(found["connectordb_requests_total", "crud/USER/DEVICE/STREAM/data,POST,200"], 1)
            self.assertEqual(found["connectordb_requests_total", "root,GET,401"], 1)
            self.assertEqual((found["connectordb_inserts_total", ""], found["connectordb_points_total", ""]), (1, 10))
            self.assertEqual(found["connectordb_refused_logins_total", ""], 1)
            self.assertEqual((found["connectordb_ready", ""], found["connectordb_connections", ""]), (1, 1))
            self.assertGreaterEqual(found["connectordb_commits_total", ""], 2)
            self.assertGreater(found["connectordb_received_bytes_total", ""], 100)
            base = server.metrics_url.removesuffix("/metrics")
            self.assertEqual(http.get(f"{base}/other", timeout=SOON).json()["code"], 404)
            self.assertEqual(http.post(server.metrics_url, timeout=SOON).json()["code"], 405)
            # not on the server's own port
            self.assertEqual(http.get(f"{server.url}/metrics", timeout=SOON).status_code, 404)

    @unittest.skipUnless(sys.platform.startswith("linux"), "elsewhere there is only one loopback address")
    def test_elsewhere(self) -> None:
        """They may be at another address than the server."""
        with run_server(config=Config(metrics=Metrics(port=0, host="127.0.0.2"))) as server:
            self.assertRegex(server.metrics_url or "", r"http://127\.0\.0\.2:\d+/metrics")

    def test_off(self) -> None:
        """Without a port there are none."""
        with run_server() as server:
            self.assertIsNone(server.metrics_url)

    def test_not_installed(self) -> None:
        """What is missing is told, with what to install."""
        without = mock.patch.dict(
            sys.modules, {"connectordb.server.operation.metrics": None, "prometheus_client": None}
        )
        with without, self.assertRaisesRegex(ConfigurationError, r"metrics.port: .*pip install"):
            with run_server(config=Config(metrics=Metrics(port=0))):
                self.fail("it started")
