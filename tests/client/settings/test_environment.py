"""The variables of the environment."""

from __future__ import annotations

import os

from connectordb import CONNECTORDB_URL, ConfigurationError
from connectordb.client.settings.environment import existing, process_wide, server

from ...support.case import Case


class Variables(Case):
    """What they say, and what they cannot say."""

    def test_none(self) -> None:
        """Without any, and where they are empty, nothing is said."""
        for variables in ({}, {"CONNECTORDB_URL": "", "CONNECTORDB_APIKEY": " ", "CONNECTORDB_TIMEOUT": ""}):
            self.assertEqual(server(variables).servers, ())
            self.assertEqual(process_wide(variables, {}), {})

    def test_server(self) -> None:
        """Server and key; a key that stands alone is for the default server."""
        said = server({"CONNECTORDB_URL": "https://a, b", "CONNECTORDB_APIKEY": "key"})
        self.assertEqual((said.servers, said.apikey), (("https://a", "https://b"), "key"))
        self.assertEqual((said.url_source, said.key_source), ("CONNECTORDB_URL", "CONNECTORDB_APIKEY"))
        said = server({"CONNECTORDB_APIKEY": "key"})
        self.assertEqual((said.servers, said.apikey, said.url_source), ((CONNECTORDB_URL,), "key", "default"))
        self.assertEqual(server({"CONNECTORDB_URL": "a"}).apikey, "")

    def test_key_in_a_file(self) -> None:
        """The key may be in a file, as secrets of containers are."""
        file = self.folder() / "key"
        file.write_text("key\n")
        said = server({"CONNECTORDB_URL": "a", "CONNECTORDB_APIKEY_FILE": str(file)})
        self.assertEqual((said.apikey, said.key_source), ("key", "CONNECTORDB_APIKEY_FILE"))

    def test_bad_files(self) -> None:
        """One that is not there, holds no key, or stands beside a key, is told."""
        folder = self.folder()
        (folder / "empty").touch()
        (folder / "two").write_text("hidden hidden")
        (folder / "binary").write_bytes(b"\xff\xfe\xff")
        for name, said in (("none", "No such file"), ("empty", "no key"), ("two", "no key"), ("binary", "no text")):
            with (
                self.subTest(name),
                self.assertRaisesRegex(ConfigurationError, f"CONNECTORDB_APIKEY_FILE.*{said}") as caught,
            ):
                server({"CONNECTORDB_APIKEY_FILE": os.fspath(folder / name)})
            self.assertNotIn("hidden", str(caught.exception))
        with self.assertRaisesRegex(ConfigurationError, "both"):
            server({"CONNECTORDB_APIKEY_FILE": "x", "CONNECTORDB_APIKEY": "hidden"})

    def test_bad_url(self) -> None:
        """An address that is none is told with the variable's name, without what may be a password in it."""
        for text in ("ftp://a", "https://mara:hidden@a", "a,,b c:x"):
            with self.subTest(text), self.assertRaisesRegex(ConfigurationError, "CONNECTORDB_URL: ") as caught:
                server({"CONNECTORDB_URL": text, "CONNECTORDB_APIKEY": "hidden"})
            self.assertNotIn("hidden", str(caught.exception))

    def test_process_wide(self) -> None:
        """Timeout and authority are those of every connection, but where an argument says otherwise."""
        variables = {"CONNECTORDB_TIMEOUT": "5,30", "CONNECTORDB_CA": __file__}
        self.assertEqual(
            process_wide(variables, {}),
            {"timeout": ((5.0, 30.0), "CONNECTORDB_TIMEOUT"), "verify": (__file__, "CONNECTORDB_CA")},
        )
        self.assertEqual(process_wide({"CONNECTORDB_TIMEOUT": "soon"}, {"timeout": 1}), {})
        with self.assertRaisesRegex(ConfigurationError, "CONNECTORDB_TIMEOUT: 'soon' is no timeout"):
            process_wide({"CONNECTORDB_TIMEOUT": "soon"}, {})
        with self.assertRaisesRegex(ConfigurationError, "CONNECTORDB_CA: '/nosuch.pem': there is no such file"):
            process_wide({"CONNECTORDB_CA": "/nosuch.pem"}, {})

    def test_existing(self) -> None:
        """A file is there; a ~ is the user's home."""
        self.assertEqual(existing("~"), os.path.expanduser("~"))
        self.assertEqual(existing(__file__), __file__)
        with self.assertRaisesRegex(ValueError, "'~/no such thing': there is no such file"):
            existing("~/no such thing")
