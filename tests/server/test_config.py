"""The configuration: what a setting may be."""

from __future__ import annotations

import unittest

from connectordb.exceptions import ConfigurationError
from connectordb.server.config_file import parse


class Mistakes(unittest.TestCase):
    """Whatever is wrong is told, with where it is and what is expected."""

    CASES = {
        "[limits": "no TOML",
        "[limit]": "no section is called 'limit'; did you mean 'limits'",
        "limits = 3": r"write \[limits\]",
        "[limits]\nbody_byte = 3": r"no setting in \[limits\] is called 'body_byte'; did you mean 'body_bytes'",
        "[log]\nzzz = 3": "there are level, format",
        "[limits]\nbody_bytes = 3": "limits.body_bytes is 3; it must be at least 1024",
        "[limits]\nbody_seconds = nan": "at least",
        "[limits]\nconnections = 1.5": "expected an integer",
        "[limits]\nconnections = true": "expected an integer",
        "[limits]\nbody_seconds = 'x'": "expected a number",
        "[listen]\nunencrypted = 1": "expected true or false",
        "[listen]\nhost = 1": "expected a text",
        "[listen]\ntrusted_proxies = [1]": "expected a list of texts",
        "[log]\nlevel = 'loud'": "expected one of debug, info",
    }

    def test_each(self) -> None:
        """One case, one sentence."""
        for text, expected in self.CASES.items():
            with self.subTest(text), self.assertRaisesRegex(ConfigurationError, expected):
                parse(text, "x.toml")
