"""Schemas as the server checks them."""

from __future__ import annotations

import time

from connectordb.server.patterns import search, server_schema

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

    def test_bad_patterns(self) -> None:
        """What does not compile makes a schema invalid, also what only Python's expressions take."""
        from jsonschema import SchemaError

        for pattern in ("(", "(?=a)"):
            with self.assertRaises(SchemaError):
                server_schema(f'{{"pattern":"{pattern}"}}')

    def test_cached(self) -> None:
        """A schema is compiled once."""
        self.assertIs(server_schema('{"type":"number"}'), server_schema('{"type":"number"}'))
        self.assertTrue(server_schema("").allows([None]))
