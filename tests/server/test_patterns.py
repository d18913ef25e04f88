"""Schemas as the server checks them."""

from __future__ import annotations

import time
import unittest
from importlib.util import find_spec

from connectordb.exceptions import LocalProtocolError
from connectordb.server.patterns import _long_schema, search, server_schema

from ..support.case import SOON, Case


class Patterns(Case):
    """Regular expressions from users."""

    def test_search(self) -> None:
        """A pattern is found anywhere."""
        self.assertTrue(search("b+", "abbc"))
        self.assertFalse(search("^b", "ab"))

    def test_no_pattern_runs_for_ever(self) -> None:
        """A pattern that would take Python's own expressions for ever takes no time."""
        schema = server_schema('{"type":"string","pattern":"^(a+)+$"}')
        begin = time.monotonic()
        self.assertFalse(schema.allows("a" * 5000 + "b"))
        self.assertLess(time.monotonic() - begin, SOON)

    def test_no_text_is_too_long(self) -> None:
        """What would take RE2 minutes is not searched, and fits nothing; what takes it no time is."""
        text = "ab" * 1_000_000
        begin = time.monotonic()
        self.assertFalse(server_schema('{"pattern":"(a|b)*a(a|b){900}c"}').allows(text))
        self.assertTrue(server_schema('{"pattern":"^[ab]+$"}').allows(text))
        self.assertLess(time.monotonic() - begin, SOON / 4)

    def test_long_schemas(self) -> None:
        """Only a few long schemas are kept, as they take megabytes; that means the same."""
        long = [f'{{"title":"{number:0>2000}","type":"number"}}' for number in range(40)]
        self.assertTrue(all(server_schema(text).allows(1) and not server_schema(text).allows("1") for text in long))
        self.assertIs(server_schema(long[-1]), server_schema(long[-1]))
        self.assertLess(_long_schema.cache_info().currsize, len(long))

    def test_bad_patterns(self) -> None:
        """What does not compile makes a schema invalid, also what only Python's expressions take."""
        for pattern in ("(", "(?=a)"):
            with self.assertRaises(LocalProtocolError):
                server_schema(f'{{"pattern":"{pattern}"}}')

    @unittest.skipIf(find_spec("re2") is None, "needs RE2")
    def test_patterns_of_the_server(self) -> None:
        """What RE2 takes is taken, also where Python's expressions do not know it."""
        letters = server_schema(r'{"pattern":"^\\p{L}+$"}')
        self.assertTrue(letters.allows("é"))
        self.assertFalse(letters.allows("5"))

    def test_cached(self) -> None:
        """A schema is compiled once."""
        self.assertIs(server_schema('{"type":"number"}'), server_schema('{"type":"number"}'))
        self.assertTrue(server_schema("").allows([None]))
