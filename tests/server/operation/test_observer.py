"""What is told of requests."""

from __future__ import annotations

import logging

import requests

from connectordb.server.config import Config, Listen, Log
from connectordb.server.operation import observer

from ...support.case import SOON, Case
from ...support.server import run_server


class ObserverTests(Case):
    """The log of requests."""

    def logged(self, config: Config) -> list[logging.LogRecord]:
        """Return what is logged of two requests."""
        with run_server(config=config) as server, requests.Session() as http:
            http.trust_env = False
            forwarded = {"X-Forwarded-For": "203.0.113.7"}
            with self.assertLogs("connectordb.server", "INFO") as logs:
                http.get(f"{server.url}/api/v1/?q=this&apikey=geheim", headers=forwarded, timeout=SOON)
                http.get(f"{server.url}/api/v1/meta/version", headers=forwarded, timeout=SOON)
                self.eventually(lambda: logs.records)
        self.assertFalse([line for line in logs.output if "geheim" in line])
        return logs.records

    def test_failures(self) -> None:
        """A request that fails is in the log with the reference that its client was told, others are not."""
        (record,) = self.logged(Config())
        self.assertEqual((record.status, record.path), (401, "/api/v1/"))  # type: ignore[attr-defined]
        self.assertIn(record.ref, record.getMessage())  # type: ignore[attr-defined]

    def test_no_values(self) -> None:
        """What is wrong with a body is told to its sender; what was in it is not in the log."""
        with run_server() as server, requests.Session() as http, self.assertLogs("connectordb.server", "INFO") as logs:
            http.trust_env = False
            url, auth = f"{server.url}/api/v1/crud/test/user/s", ("test", "test")
            http.post(url, json={}, auth=auth, timeout=SOON)
            told = http.post(f"{url}/data", json=["geheim"], auth=auth, timeout=SOON).json()
            self.assertIn("geheim", told["msg"])
            (line,) = [line for line in logs.output if told["ref"] in line]
            self.assertNotIn("geheim", line)

    def test_each(self) -> None:
        """If that is wanted each is, with where the client is as far as proxies are believed."""
        records = self.logged(Config(log=Log(requests=True)))
        each = [record for record in records if record.name == observer.log.name]
        self.assertEqual([record.status for record in each], [401, 200])  # type: ignore[attr-defined]
        self.assertEqual(each[0].address, "127.0.0.1")  # type: ignore[attr-defined]
        behind = self.logged(Config(log=Log(requests=True), listen=Listen(port=0, trusted_proxies=("127.0.0.1",))))
        self.assertEqual({record.address for record in behind}, {"203.0.113.7"})  # type: ignore[attr-defined]
