"""Server and key that were not passed, against a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from unittest import mock

from connectordb import ConfigurationError, ConnectorDB, LocalProtocolError
from connectordb.client import Profiles
from connectordb.logger import Logger
from tests.support.target import TargetCase
from tests.support.wire import Peer, answer


class FoundSettings(TargetCase):
    """What a connection finds in the environment and in a profile, and what it shows of it."""

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.dict(os.environ)
        patch.start()
        self.addCleanup(patch.stop)

    def found(self, *arguments: Any, **options: Any) -> ConnectorDB:
        """Return a connection that was made of just these."""
        cdb = ConnectorDB(*arguments, **options)
        self.addCleanup(cdb.close)
        return cdb

    def test_environment(self) -> None:
        """Server and key of the environment log in; an address that was passed gets the key if it is the same."""
        os.environ.update(CONNECTORDB_URL=self.url, CONNECTORDB_APIKEY=self.device_key)
        self.assertEqual(self.found().path, f"{self.user_name}/own")
        self.assertEqual(self.connect().path, f"{self.user_name}/own")
        self.assertEqual(self.connect(anonymous=True).path, "nobody")
        self.assertEqual(self.found(anonymous=True).path, "nobody")
        self.assertEqual(self.found().settings["url"], (self.url.rstrip("/"), "CONNECTORDB_URL"))

    def test_several_servers(self) -> None:
        """Of several in the environment one that answers is used, with the key that belongs to all of them."""
        away = Peer()
        away.close()
        os.environ.update(CONNECTORDB_URL=f"{away.url}, {self.url}", CONNECTORDB_APIKEY=self.device_key)
        cdb = self.found()
        self.assertEqual((cdb.path, cdb.url), (f"{self.user_name}/own", self.url.rstrip("/")))
        self.assertEqual(cdb.settings["url"].value, (away.url, self.url.rstrip("/")))
        self.assertEqual(self.connect().path, f"{self.user_name}/own")

    def test_profile(self) -> None:
        """A profile logs in, by its name or as the default one."""
        file = self.folder() / "profiles.ini"
        Profiles(file).save("default", {"url": self.url, "apikey": self.user_key})
        Profiles(file).save("own", {"url": self.url, "apikey": self.device_key, "timeout": "7"})
        os.environ["CONNECTORDB_PROFILE_FILE"] = str(file)
        self.assertEqual(self.found().path, f"{self.user_name}/user")
        own = self.found(profile="own")
        self.assertEqual((own.path, own.settings["timeout"].value), (f"{self.user_name}/own", 7.0))
        with self.assertRaisesRegex(ConfigurationError, "'elsewhere' is not in"):
            self.found(profile="elsewhere")

    def elsewhere(self) -> Peer:
        """Have keys for other servers in the environment and in a profile; return a server that nothing names."""
        file = self.folder() / "profiles.ini"
        Profiles(file).save("default", {"url": "https://a", "apikey": "hidden"})
        os.environ.update(CONNECTORDB_PROFILE_FILE=str(file), CONNECTORDB_URL="https://b", CONNECTORDB_APIKEY="hidden")
        peer = Peer(otherwise=answer("nobody"))
        self.addCleanup(peer.close)
        return peer

    def test_never_to_another_server(self) -> None:
        """A key of the environment, or of a profile, does not reach a server that it was not given for."""
        peer = self.elsewhere()
        self.found(url=peer.url).ping()
        self.assertEqual(len(peer.requests), 2)
        for request in peer.requests:
            self.assertNotIn("authorization", {name.lower() for name in request.headers})

    def test_never_from_a_logger(self) -> None:
        """A Logger has the key that is in its file, and no other, also where the environment names its server."""
        peer = self.elsewhere()
        os.environ["CONNECTORDB_URL"] = peer.url
        with Logger(self.folder() / "cache.db") as log:
            log.serverurl = peer.url
            self.assertEqual(log.connectordb.ping(), "nobody")
            self.assertEqual(log.connectordb.settings["credentials"].value, "no credentials")
        self.assertNotIn("authorization", {name.lower() for request in peer.requests for name in request.headers})

    def test_reads_no_file(self) -> None:
        """With a key, or with anonymous=True, no profile is looked for, and nothing is loaded that would do so."""
        program = """
import sys
looked = []
sys.addaudithook(lambda event, arguments: event == "open" and "profiles" in str(arguments[0]) and looked.append(arguments[0]))
before = set(sys.modules)  # whoever measures what is covered may have loaded some of these
from connectordb import ConnectorDB
ConnectorDB("key", url="http://localhost:1", connect=False).close()
ConnectorDB("key", connect=False).close()
ConnectorDB("mara", "secret", connect=False).close()
ConnectorDB(url="http://localhost:1", anonymous=True, connect=False).close()
print(looked, [name for name in ("platformdirs", "configparser", "connectordb.client.settings.profiles") if name in {*sys.modules} - before])
ConnectorDB(connect=False).close()
print(len([name for name in looked if str(name).endswith("profiles.ini")]))
"""
        variables = {**os.environ, "CONNECTORDB_PROFILE_FILE": "", "XDG_CONFIG_HOME": str(self.folder())}
        done = subprocess.run(
            [sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual((done.stdout, done.stderr), ("[] []\n1\n", ""))

    def test_bad_variables(self) -> None:
        """What makes no sense is told where it counts, and only there."""
        os.environ.update(CONNECTORDB_TIMEOUT="soon", CONNECTORDB_URL="ftp://a")
        with self.assertRaisesRegex(ConfigurationError, "CONNECTORDB_TIMEOUT"):
            self.connect(self.device_key)
        with self.assertRaisesRegex(ConfigurationError, "CONNECTORDB_URL"):
            self.found(timeout=5)
        self.assertEqual(self.connect(self.device_key, timeout=5).settings["timeout"], (5, "argument"))

    def test_contradictions(self) -> None:
        """What cannot be meant together is refused."""
        cases: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
            (("key",), {"anonymous": True}),
            (("key",), {"profile": "x"}),
            ((), {"profile": "x", "url": "http://localhost:1"}),
            ((), {"url": []}),
            ((), {"url": None}),
        )
        for arguments, options in cases:
            with self.subTest(options), self.assertRaises(LocalProtocolError):
                self.found(*arguments, **options)

    def test_no_secret(self) -> None:
        """Neither settings nor the connection show a key."""
        cdb = self.device()
        for text in (str(cdb.settings), repr(cdb.settings), repr(cdb), repr(dict(cdb.settings))):
            self.assertNotIn(self.device_key, text)
        self.assertEqual(cdb.settings["credentials"], ("the API key", "argument"))
