"""Figures for Prometheus."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from connectordb.server.operation.metrics import Metrics, Now
from connectordb.server.service import Counts
from connectordb.server.storage import State

from ...support.case import SOON

LABELS = ("route", "method", "status", "le")

TOP = Path(__file__).parents[3]


def now() -> Now:
    """Return what a server may know of itself."""
    return Now(State(writes_waiting=3, commits=7), Counts(points=5), 1, 2, 3, 4, ready=True)


def figures(text: bytes) -> dict[tuple[str, str], float]:
    """Return the samples of a text by name and labels."""
    return {
        (sample.name, ",".join(sample.labels[name] for name in LABELS if name in sample.labels)): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


class MetricsTests(unittest.TestCase):
    """What is counted, and how it is shown."""

    def test_figures(self) -> None:
        """Requests are counted by kind of address, verb and status; what the server knows is looked up."""
        metrics = Metrics(now)
        for _ in range(3):
            metrics.answered("GET", "/api/v1/crud/mara/lamp/light/data", 200, 0.02, 0, 100)
        metrics.answered("POST", "/api/v1/crud/mara/lamp/light/data", 403, 0.2, 50, 10)
        metrics.answered("GET", "/api/v1/websocket", 101, 1000.0, 0, 0)
        metrics.answered("BREW", "/coffee", 405, 0.0, 0, 0)
        metrics.answered("GET", "/health", 200, 0.0, 0, 0)
        found = figures(metrics.text())
        data = "crud/USER/DEVICE/STREAM/data"
        self.assertEqual(found["connectordb_requests_total", f"{data},GET,200"], 3)
        self.assertEqual(found["connectordb_requests_total", f"{data},POST,403"], 1)
        self.assertEqual(found["connectordb_requests_total", "other,other,405"], 1)
        self.assertEqual(found["connectordb_requests_total", "/health,GET,200"], 1)
        self.assertEqual(found["connectordb_request_seconds_bucket", f"{data},0.025"], 3)
        self.assertNotIn(("connectordb_request_seconds_count", "websocket"), found)
        self.assertEqual(
            (found["connectordb_received_bytes_total", ""], found["connectordb_sent_bytes_total", ""]), (50, 310)
        )
        self.assertEqual((found["connectordb_writes_waiting", ""], found["connectordb_commits_total", ""]), (3, 7))
        self.assertEqual((found["connectordb_points_total", ""], found["connectordb_ready", ""]), (5, 1))

    def test_each_has_its_own(self) -> None:
        """Two servers in one process do not share figures."""
        one, other = Metrics(now), Metrics(now)
        one.answered("GET", "/api/v1/", 200, 0.0, 0, 0)
        self.assertNotIn(("connectordb_requests_total", "root,GET,200"), figures(other.text()))

    def test_documented(self) -> None:
        """The page that lists the figures lists all of them."""
        page = (TOP / "docs/howto/metrics.rst").read_text(encoding="utf-8")
        for name, _ in figures(Metrics(now).text()):
            if name.startswith("connectordb") and not name.endswith(("_created", "_bucket", "_sum", "_count")):
                with self.subTest(name):
                    self.assertIn(f"``{name}``", page)

    def test_only_where_wanted(self) -> None:
        """Without metrics, prometheus-client is not imported."""
        program = "import sys, connectordb.server; print('prometheus_client' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, timeout=SOON)
        self.assertEqual((done.stdout.strip(), done.stderr), ("False", ""))
