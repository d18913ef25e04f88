"""``doctor``."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any

from ..support.command_line import here
from ..support.target import new_name
from ..support.wire import Peer, answer
from .test_login import LoginCase


class Doctor(LoginCase):
    """What is looked at, and what is said of it."""

    def looked(self, *arguments: str, status: int = 0) -> dict[str, dict[str, Any]]:
        """Return what was found, by what was looked at."""
        done = here("doctor", "--json", *arguments)
        self.assertEqual(done.returncode, status, done)
        return {finding["what"]: finding for finding in json.loads(done.stdout)}

    def test_well(self) -> None:
        """Where nothing is wrong, every line is ok, and the status 0."""
        self.login()
        self.assertIsNone(self.looked()["websocket"]["ok"])
        self.ran("new", f"mara/user/{new_name()}")
        found = self.looked()
        self.assertEqual({finding["ok"] for finding in found.values()}, {True}, found)
        self.assertEqual(found["login"]["told"], "you are mara/user")
        self.assertIn("not encrypted", found["server"]["told"])
        self.assertEqual(self.ran("doctor").count("ok     "), 7)

    def test_no_server(self) -> None:
        """What cannot be looked at without a server is not, and each that is wrong says what to do."""
        self.set(CONNECTORDB_URL="http://127.0.0.1:9", CONNECTORDB_APIKEY="x")
        found = self.looked(status=1)
        self.assertEqual(
            [found[what]["ok"] for what in ("name", "server", "clock", "websocket")], [True, False, None, None]
        )
        self.assertIn("is the server running", found["server"]["told"])
        self.set(CONNECTORDB_URL="http://no-such-host.invalid")
        self.assertIn("is that its name", self.looked(status=1)["name"]["told"])

    def test_proxy(self) -> None:
        """Where a proxy leads to the server, its name need not be known here; the proxy is named."""
        self.set(CONNECTORDB_URL="http://db.invalid", CONNECTORDB_APIKEY="x")
        self.set(http_proxy="http://mara:secret@127.0.0.1:9", no_proxy="")
        found = self.looked(status=1)
        self.assertEqual((found["name"]["ok"], found["server"]["ok"]), (None, False))
        named = "the proxy http://127.0.0.1:9 (http_proxy of the environment)"
        self.assertTrue(all(named in found[what]["told"] for what in ("name", "server")), found)

    def test_login(self) -> None:
        """No key, or a wrong one, is told with what to do; and so are settings that make no sense."""
        self.set(CONNECTORDB_URL=self.url)
        self.assertEqual(list(self.looked(status=1)), ["settings"])  # there is no such file
        self.login("--profile", "another")
        self.assertIn("connectordb login", self.looked(status=1)["login"]["told"])
        self.set(CONNECTORDB_APIKEY="wrong")
        found = self.looked(status=1)
        self.assertEqual((found["server"]["ok"], found["login"]["ok"], found["streams"]["ok"]), (True, False, None))
        self.assertIn("the API key (CONNECTORDB_APIKEY): connectordb login", found["login"]["told"])

    def test_clock(self) -> None:
        """A clock that is an hour off is told."""
        peer = Peer(otherwise=answer("0.3.0", headers={"Date": formatdate(time.time() - 3600, usegmt=True)}))
        self.addCleanup(peer.close)
        self.set(CONNECTORDB_URL=peer.url, CONNECTORDB_APIKEY="x")
        found = self.looked(status=1)["clock"]
        self.assertRegex(found["told"], r"^3,(599|6\d\d) s ahead of the server's")

    def test_files(self) -> None:
        """The files of Loggers are gone through."""
        self.login()
        file = self.folder() / "no.db"
        file.write_bytes(b"something else" * 1000)
        found = self.looked(str(file), status=1)
        self.assertFalse(found["no.db"]["ok"])
