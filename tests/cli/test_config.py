"""``config``, and what ``run`` and ``start`` take from the configuration."""

from __future__ import annotations

import json
import re
import signal
import ssl
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from connectordb.server import Config, create, load_config

from ..support.case import Case
from ..support.command_line import PATIENCE, command, environment, here
from ..support.server import DatabaseCase

CERTIFICATE = Path(__file__).parent.parent / "support" / "localhost.pem"


class Printing(Case):
    """``connectordb config``."""

    def test_defaults(self) -> None:
        """Without a folder, the defaults: a file that can be changed and read."""
        done = here("config")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        file = self.folder() / "connectordb.toml"
        file.write_text(done.stdout)
        self.assertEqual(load_config(file), Config())
        self.assertIn("# Seconds that a request's headers may take to arrive. Default: 15.0\n", done.stdout)

    def test_in_force(self) -> None:
        """What a folder's file says, or another file."""
        folder = self.folder()
        (folder / "connectordb.toml").write_text("[listen]\nport = 4000\n")
        other = folder / "other.toml"
        other.write_text("[log]\nformat = 'json'\n")
        self.assertRegex(here("config", folder).stdout, r"(?m)^port = 4000$")
        self.assertRegex(here("config", folder, "--config", other).stdout, r'(?m)^format = "json"$')
        self.assertRegex(here("config", self.folder()).stdout, r"(?m)^port = 3124$")

    def test_mistakes(self) -> None:
        """A file that makes no sense is told by every command that reads it, with file, key and what was expected."""
        folder = self.folder() / "db"
        here("create", folder, "--test")
        file = folder / "connectordb.toml"
        for name, text, words in (
            (
                "config",
                "[listen]\nprot = 1\n",
                "connectordb.toml: no setting in [listen] is called 'prot'; did you mean 'port'?",
            ),
            ("run", "[log]\nformat = 'xml'\n", "expected one of lines, json"),
            ("start", "[listen\n", "this is no TOML"),
            ("run", "[listen]\nhost = '0.0.0.0'\n", "without TLS"),
            ("run", "[listen]\nport = 0\ntrusted_proxies = ['x']\n", "'x' is no address and no network"),
            ("run", "[listen]\ntls_cert = 'nosuch.pem'\n", "nosuch.pem': No such file"),
            ("start", "[log]\nfile = 'no/such/place'\n", "place': No such file"),
        ):
            file.write_text(text)
            with self.subTest(words, command=name):
                done = here(name, folder)
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
        self.assertIn("is not a folder", here("config", folder / "nosuch").stderr)
        self.assertIn("--tls-key goes with --tls-cert", here("run", folder, "--tls-key", "x").stderr)


class Configured(DatabaseCase):
    """Servers that are configured."""

    def setUp(self) -> None:
        super().setUp()
        create(self.directory, test=True)

    def configure(self, text: str) -> None:
        """Write the configuration file."""
        (self.directory / "connectordb.toml").write_text(text)

    def started(self, *arguments: object) -> str:
        """Start the server and return where it listens; it is stopped with the test."""
        done = here("start", self.directory, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.addCleanup(here, "stop", self.directory)
        found = re.search(r"Listening at (\S+)", done.stdout)
        assert found is not None
        return found[1]

    def status(self, url: str) -> int:
        """Return the status of an answer."""
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(url, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def test_json_log(self) -> None:
        """The log of a server in the background is as configured, and put aside at a length."""
        self.configure('[listen]\nport = 0\n[log]\nformat = "json"\nrequests = true\nrotate_bytes = 4000\nkeep = 2\n')
        url = self.started()
        for number in range(50):
            self.assertEqual(self.status(f"{url}/nosuch/{number}?apikey=geheim"), 404)
        logs = sorted(self.directory.glob("server.log*"))
        self.assertEqual([path.name for path in logs], ["server.log", "server.log.1", "server.log.2"])
        lines: list[dict[str, Any]] = [
            json.loads(line) for path in logs for line in path.read_text().splitlines() if line.startswith("{")
        ]
        self.assertTrue(any(line.get("ref") and line["status"] == 404 for line in lines))
        self.assertTrue(any(line["logger"].endswith("observer") and line["seconds"] >= 0 for line in lines))
        for path in logs:
            self.assertNotIn("geheim", path.read_text())
            if sys.platform != "win32":
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_tls(self) -> None:
        """With a certificate, the address is https, from the file or as typed."""
        url = self.started("--port", 0, "--tls-cert", CERTIFICATE, "--host", "localhost")
        self.assertTrue(url.startswith("https://localhost:"))
        self.assertEqual(self.status(f"{url}/health"), 200)
        here("stop", self.directory)
        (self.directory / "cert.pem").write_text(CERTIFICATE.read_text())
        self.configure('[listen]\nport = 0\nhost = "localhost"\ntls_cert = "cert.pem"\n')
        self.assertEqual(self.status(f"{self.started()}/health"), 200)

    def test_others_are_let_in_if_that_was_said(self) -> None:
        """With a word, a server is reached by others without TLS."""
        self.assertEqual(self.status(self.started("--port", 0, "--host", "0.0.0.0", "--unencrypted") + "/health"), 200)

    @unittest.skipIf(sys.platform == "win32", "no SIGHUP there")
    def test_sighup(self) -> None:
        """After SIGHUP the log goes on in a new file, so that it can be moved away."""
        log = self.directory / "other.log"
        arguments = command("run", self.directory, "--port", 0, "--log-file", log)
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment()) as process:
            assert process.stdout is not None
            process.stdout.readline()
            log.rename(self.directory / "old.log")
            process.send_signal(signal.SIGHUP)
            self.eventually(log.exists, within=PATIENCE)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertIn("ending: signal SIGTERM", log.read_text())
