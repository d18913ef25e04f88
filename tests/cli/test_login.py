"""``login``, ``logout`` and ``whoami``."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb import AuthenticationError, ConnectorDB
from connectordb.client import Profiles
from connectordb.server.config import Config, Listen

from ..support.case import Case
from ..support.command_line import PATIENCE, command, connectordb, environment, here
from ..support.server import run_server
from ..support.terminal import answered
from ..support.wire import Peer

CERTIFICATE = Path(__file__).parents[1] / "support" / "localhost.pem"


class LoginCase(Case):
    """A server with the administrator mara, and a file of profiles."""

    url: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        server = run_server(user="mara", password="hidden word")
        cls.url = server.__enter__().url
        cls.addClassCleanup(server.__exit__, None, None, None)

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder() / "profiles.ini"
        self.set(CONNECTORDB_PROFILE_FILE=str(self.file))
        self.profiles = Profiles(self.file)

    def set(self, **variables: str) -> None:
        """Set variables of the environment for the rest of the test."""
        patch = mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)

    def _check_leaks(self) -> None:
        # the server's own threads begin as it needs them
        self._threads_before |= {
            thread
            for thread in threading.enumerate()
            if thread.name.startswith(("connectordb-server", "connectordb-st"))
        }
        super()._check_leaks()

    def ran(self, *arguments: str, stdin: str = "", status: int = 0) -> str:
        """Run a command in this process; return all that it said, which is no secret."""
        done = here(*arguments, stdin=stdin)
        self.assertEqual(done.returncode, status, done)
        told = done.stdout + done.stderr
        self.assertNotIn("hidden", told)
        for name in self.profiles.names():
            self.assertNotIn(self.profiles.said(name).get("apikey", "never told"), told)
        return told

    def login(self, *arguments: str, status: int = 0) -> str:
        """Log in as mara."""
        given = ("login", "mara", "--url", self.url, "--password-stdin", *arguments)
        return self.ran(*given, stdin="hidden word\n", status=status)


class LoggingIn(LoginCase):
    """What is kept is a key, in a file for its owner, and programs find it."""

    def test_user(self) -> None:
        """After a login programs without arguments are the user's device, and the password is nowhere."""
        self.assertIn(f"Logged in to {self.url} as mara/user.", self.login())
        self.assertNotIn("hidden", self.file.read_text())
        if os.name != "nt":
            self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        with ConnectorDB() as cdb:
            self.assertEqual((cdb.path, cdb.url), ("mara/user", self.url))
        with ConnectorDB(url=self.url) as cdb:
            self.assertEqual(cdb.path, "mara/user")
        with ConnectorDB(url=self.url, anonymous=True) as cdb:
            self.assertEqual(cdb.path, "nobody")

    def test_device(self) -> None:
        """With --device it is a device that is made where it is missing, and logged in to again where it is not."""
        self.assertIn("as mara/laptop, which was created.", self.login("--device", "laptop"))
        with ConnectorDB() as cdb:
            self.assertEqual(cdb.path, "mara/laptop")
            key = cdb.apikey
        self.assertIn("as mara/laptop.", self.login("--device", "laptop"))
        self.assertEqual(self.profiles.said("default")["apikey"], key)
        with ConnectorDB("mara", "hidden word", url=self.url) as cdb:
            self.assertNotEqual(cdb.apikey, key)
        self.assertIn("name of one of the user's devices", self.login("--device", "mara/laptop", status=2))

    def test_role(self) -> None:
        """With --role the device sees more than its own streams, also one that was there."""
        self.login("--device", "phone")
        self.assertIn("Can't access", self.ran("ls", "mara/user", status=1))
        self.login("--device", "phone", "--role", "reader")
        self.ran("ls", "mara/user")
        self.assertIn("give both", self.login("--role", "reader", status=2))

    def test_key(self) -> None:
        """A key that is there already is kept, if it is one."""
        with ConnectorDB("mara", "hidden word", url=self.url) as cdb:
            cdb("mara/board").create()
            key = cdb("mara/board").apikey
        self.assertIn("as mara/board.", self.ran("login", "--url", self.url, "--apikey-stdin", stdin=f"{key}\n"))
        with ConnectorDB() as cdb:
            self.assertEqual(cdb.path, "mara/board")
        self.assertIn(
            "did not accept", self.ran("login", "--url", self.url, "--apikey-stdin", stdin="no key", status=1)
        )
        self.assertEqual(self.profiles.said("default")["apikey"], key)
        self.ran("login", "mara", "--apikey-stdin", stdin="x\n", status=2)

    def test_refused(self) -> None:
        """A wrong password, and a server that is away, leave the file as it was."""
        self.login()
        before = self.file.read_bytes()
        told = self.ran("login", "mara", "--url", self.url, "--password-stdin", stdin="hidden, and wrong\n", status=1)
        self.assertIn("did not accept", told)
        self.without_pauses()
        peer = Peer()
        peer.close()
        told = self.ran("login", "mara", "--url", peer.url, "--password-stdin", stdin="hidden\n", status=1)
        self.assertIn("is the server running", told)
        self.assertEqual(self.file.read_bytes(), before)

    def test_nobody_to_ask(self) -> None:
        """Without a terminal the user is an argument, and the password comes through a pipe."""
        self.assertIn("give USER", self.ran("login", status=2))
        self.assertIn("--password-stdin", self.ran("login", "mara", status=2))
        self.assertIn("no password", self.ran("login", "mara", "--password-stdin", status=2))
        self.ran("login", "mara", "typed", status=2)

    def test_profiles(self) -> None:
        """Several are kept beside each other, and selected by argument or environment."""
        self.login()
        told = self.login("--profile", "lamp", "--device", "lamp")
        self.assertIn("ConnectorDB(profile='lamp')", told)
        with ConnectorDB(profile="lamp") as cdb:
            self.assertEqual(cdb.path, "mara/lamp")
        with mock.patch.dict(os.environ, CONNECTORDB_PROFILE="lamp"), ConnectorDB() as cdb:
            self.assertEqual(cdb.path, "mara/lamp")
        self.assertEqual(self.ran("whoami", "--all"), f"* default  {self.url}\n  lamp     {self.url}\n")
        self.assertIn("no name of a profile", self.ran("login", "--profile", "no name", status=1))
        self.set(CONNECTORDB_PROFILE_FILE=os.devnull)
        self.assertIn("no place", self.ran("login", status=1))

    def test_again(self) -> None:
        """What a profile says besides is kept by another login to the same server, and not to another one."""
        self.login()
        self.profiles.save("default", {**self.profiles.said("default"), "timeout": "7"})
        self.ran("login", "mara", "--password-stdin", stdin="hidden word\n")  # to the server of the profile
        self.assertEqual(self.profiles.said("default")["timeout"], "7")
        with ConnectorDB() as cdb:
            self.assertEqual(cdb.settings["timeout"].value, 7.0)
        self.profiles.save("default", {"url": "https://elsewhere", "timeout": "7"})
        self.login()
        self.assertNotIn("timeout", self.profiles.said("default"))

    def test_what_goes_first(self) -> None:
        """Whoever logs in and has a key in the environment is told that this goes first."""
        self.set(CONNECTORDB_APIKEY="secret of the environment")
        self.assertIn("CONNECTORDB_APIKEY in the environment takes precedence over it", self.login())

    def test_not_encrypted(self) -> None:
        """A password that would cross a network as it is typed is told of."""
        self.assertNotIn("not encrypted", self.login())
        told = self.ran("login", "mara", "--url", "http://192.0.2.1:1", "--password-stdin", stdin="\n", status=2)
        self.assertIn("http://192.0.2.1:1 is not encrypted", told)

    def test_own_authority(self) -> None:
        """A server with an authority of its own is logged in to with --ca, which programs find as well."""
        config = Config(listen=Listen(tls_cert=str(CERTIFICATE)))
        with run_server(user="mara", password="hidden word", config=config) as server:
            given = ("login", "mara", "--url", server.url, "--password-stdin")
            self.assertIn("certificate", self.ran(*given, stdin="hidden word\n", status=1))
            self.ran(*given, "--ca", str(CERTIFICATE), stdin="hidden word\n")
            self.assertEqual(self.profiles.said("default")["ca"], str(CERTIFICATE))
            with ConnectorDB() as cdb:
                self.assertEqual(cdb.path, "mara/user")
            # the authority is known by now
            self.ran("login", "mara", "--device", "own", "--password-stdin", stdin="hidden word\n")
            self.assertTrue(self.ran("whoami").startswith("mara/own\n"))

    @unittest.skipUnless(hasattr(os, "openpty"), "there are no pseudo-terminals here")
    def test_typed(self) -> None:
        """At a terminal user and password are asked for, with the server, and the password does not appear."""
        asks = ((f"User at {self.url}: ", "mara\n"), (f"Password of mara at {self.url}: ", "hidden word\n"))
        shown = answered(self, command("login", "--url", self.url), *asks, env=environment())
        self.assertNotIn("hidden", shown)
        self.assertIn("Logged in", shown)


class LoggingOut(LoginCase):
    """The profile goes; the key only if that is wanted."""

    def key_works(self, key: str) -> bool:
        """Tell whether the server takes a key."""
        try:
            ConnectorDB(key, url=self.url).close()
        except AuthenticationError:
            return False
        return True

    def test_logout(self) -> None:
        """The profile is removed, others are not, and that the key is good is told."""
        self.login("--device", "kept")
        self.login("--profile", "other")
        key = self.profiles.said("default")["apikey"]
        self.assertIn("still valid", self.ran("logout"))
        self.assertEqual(self.profiles.names(), ["other"])
        self.assertNotIn(key, self.file.read_text())
        self.assertTrue(self.key_works(key))
        with ConnectorDB(url=self.url) as cdb:
            self.assertEqual(cdb.path, "nobody")
        self.assertIn("no profile 'default'", self.ran("logout", status=1))

    def test_reset(self) -> None:
        """With --reset the key is worthless afterwards."""
        self.login("--device", "lost", "--profile", "lost")
        key = self.profiles.said("lost")["apikey"]
        self.assertIn("mara/lost has a new key", self.ran("logout", "--profile", "lost", "--reset"))
        self.assertFalse(self.key_works(key))
        self.assertEqual(self.profiles.names(), [])

    def test_reset_of_none(self) -> None:
        """A key that is worthless already hinders nobody; a server that is away does."""
        self.profiles.save("default", {"url": self.url, "apikey": "worthless"})
        self.assertIn("did not know the key", self.ran("logout", "--reset"))
        self.without_pauses()
        peer = Peer()
        peer.close()
        self.profiles.save("default", {"url": peer.url, "apikey": "some key"})
        self.assertIn("is the server running", self.ran("logout", "--reset", status=1))
        self.assertEqual(self.profiles.names(), ["default"])
        self.ran("logout")


class WhoAmI(LoginCase):
    """Who programs are, and why."""

    def whoami(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """Return what is told as JSON."""
        done = here("whoami", "--json", *arguments)
        self.assertEqual(done.returncode, status, done)
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    def test_profile(self) -> None:
        """Path, server, and where they come from."""
        self.login("--device", "laptop")
        told = self.ran("whoami").splitlines()
        where = f"profile 'default' in {self.file}"
        self.assertEqual(told[0], "mara/laptop")
        self.assertEqual([line.split(maxsplit=1)[0] for line in told[1:]], ["url", "credentials"])
        self.assertTrue(all(line.endswith(where) for line in told[1:]))
        found = self.whoami()
        self.assertEqual(found["path"], "mara/laptop")
        self.assertEqual(found["settings"]["url"], {"value": self.url, "source": where})
        self.assertEqual(found["settings"]["credentials"], {"value": "the API key", "source": where})
        self.assertEqual(found["settings"]["verify"], {"value": True, "source": "default"})

    def test_environment(self) -> None:
        """The environment goes first; a profile that is named goes before that."""
        self.login()
        self.login("--profile", "lamp", "--device", "lamp")
        self.set(
            CONNECTORDB_URL=self.url, CONNECTORDB_APIKEY=self.profiles.said("lamp")["apikey"], CONNECTORDB_TIMEOUT="20"
        )
        found = self.whoami()
        self.assertEqual(found["path"], "mara/lamp")
        self.assertEqual(found["settings"]["url"]["source"], "CONNECTORDB_URL")
        self.assertEqual(found["settings"]["timeout"], {"value": 20.0, "source": "CONNECTORDB_TIMEOUT"})
        self.assertEqual(self.whoami("--profile", "default")["path"], "mara/user")

    def test_nobody(self) -> None:
        """Without a login it is nobody."""
        self.set(CONNECTORDB_URL=self.url, CONNECTORDB_PROFILE_FILE=os.devnull)
        self.assertTrue(self.ran("whoami").startswith("nobody\n"))

    def test_failing(self) -> None:
        """What the settings are is told also where they lead nowhere."""
        self.login()
        self.without_pauses()
        peer = Peer()
        peer.close()
        self.set(CONNECTORDB_URL=peer.url)
        told = self.ran("whoami", status=1)
        self.assertIn(f"url          {peer.url}  CONNECTORDB_URL", told)
        self.assertIn("no credentials", told)
        self.assertIsNone(self.whoami(status=1)["path"])

    def test_bad_settings(self) -> None:
        """A variable that makes no sense is named."""
        self.set(CONNECTORDB_TIMEOUT="soon")
        self.assertIn("CONNECTORDB_TIMEOUT: 'soon' is no timeout", self.ran("whoami", status=1))
        self.set(CONNECTORDB_URL="ftp://a")
        self.assertIn("CONNECTORDB_URL: the url", self.ran("login", status=1))
        self.set(CONNECTORDB_URL="", CONNECTORDB_TIMEOUT="", CONNECTORDB_PROFILE="gone")
        self.assertIn("CONNECTORDB_PROFILE_FILE", self.ran("whoami", status=1))

    def test_all(self) -> None:
        """All profiles are listed without asking a server."""
        self.assertIn("no profiles", self.ran("whoami", "--all"))
        self.profiles.save("a", {"url": "https://a https://b", "apikey": "some key"})
        self.profiles.save("default", {"url": "https://c"})
        self.assertEqual(
            self.ran("whoami", "--all"), "  a        https://a https://b\n* default  https://c  (no key)\n"
        )
        self.assertEqual(
            json.loads(self.ran("whoami", "--all", "--json")),
            [
                {"profile": "a", "url": ["https://a", "https://b"], "apikey": True, "selected": False},
                {"profile": "default", "url": ["https://c"], "apikey": False, "selected": True},
            ],
        )


class Process(LoginCase):
    """In processes of their own, as users have it."""

    def test_whole(self) -> None:
        """Log in, ask, run a program without arguments, log out."""
        done = connectordb(
            "login", "mara", "--url", self.url, "--device", "own", "--password-stdin", stdin="hidden word\n"
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        program = "from connectordb import ConnectorDB\nwith ConnectorDB() as cdb: print(cdb.path)"
        ran = subprocess.run(
            [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=PATIENCE
        )
        self.assertEqual((ran.stdout, ran.stderr), ("mara/own\n", ""))
        self.assertIn("mara/own", connectordb("whoami").stdout)
        self.assertEqual(connectordb("logout").returncode, 0)
        self.assertEqual(self.profiles.names(), [])
