"""Finding settings in this process's environment; against a server: `test_found_settings`."""

from __future__ import annotations

import os
from unittest import mock

from connectordb import CONNECTORDB_URL, ConfigurationError
from connectordb.client import Profiles, found_server
from connectordb.client.settings.address import DEFAULT_URL
from connectordb.client.settings.credentials import Credentials
from connectordb.client.settings.finding import find
from connectordb.client.terms.timeouts import Timeout

from ...support.case import Case


class Finding(Case):
    """The environment, then the profile."""

    def test_found_server(self) -> None:
        """Server and key of one source, or nobody at the default server."""
        self.assertEqual(found_server(), (CONNECTORDB_URL, ""))
        file = self.folder() / "profiles.ini"
        Profiles(file).save("default", {"url": "p", "apikey": "p-key"})
        with mock.patch.dict(os.environ, CONNECTORDB_PROFILE_FILE=str(file)):
            self.assertEqual(found_server(), ("https://p", "p-key"))
            with mock.patch.dict(os.environ, CONNECTORDB_URL="e", CONNECTORDB_APIKEY="e-key"):
                self.assertEqual(found_server(), ("https://e", "e-key"))
            with mock.patch.dict(os.environ, CONNECTORDB_PROFILE="none"), self.assertRaises(ConfigurationError):
                found_server()

    def test_options(self) -> None:
        """What was passed is told from what is as by default, and that is shown as what it means."""
        defaults = {"timeout": None, "verify": None, "threads": 16, "wait": 0}
        options = {"timeout": None, "verify": True, "threads": 4}
        found = find(DEFAULT_URL, Credentials(), None, False, options, defaults)
        self.assertEqual(found.options, {"verify": True, "threads": 4})
        self.assertEqual(found.settings["verify"], (True, "argument"))
        self.assertEqual(found.settings["timeout"], (Timeout(), "default"))
        self.assertNotIn("wait", found.settings)
