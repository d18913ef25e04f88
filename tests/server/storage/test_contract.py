"""What a storage promises, and that ours has all of it."""

from __future__ import annotations

import inspect
import unittest
from collections.abc import Iterator
from typing import Any

from connectordb.exceptions import ConnectorDBError
from connectordb.server.storage import contract
from connectordb.server.storage.access import SQLiteReader, SQLiteWriter
from connectordb.server.storage.sqlite import SQLiteStorage


def promised(protocol: type[Any]) -> Iterator[str]:
    """Go through the names of what a protocol's classes can do."""
    for name, member in inspect.getmembers(protocol, inspect.isfunction):
        if not name.startswith("_"):
            assert member.__doc__, f"{name} does not say what it promises"
            yield name


class Keeping(unittest.TestCase):
    """The storage in a SQLite file keeps the contract."""

    def test_signatures(self) -> None:
        """Everything promised is there, of its own, with the same parameters."""
        for protocol, kind in (
            (contract.Reader, SQLiteReader),
            (contract.Writer, SQLiteWriter),
            (contract.Storage, SQLiteStorage),
        ):
            for name in promised(protocol):
                with self.subTest(kind=kind.__name__, name=name):
                    ours, theirs = getattr(kind, name), getattr(protocol, name)
                    self.assertIsNot(ours, theirs, "inherited, so doing nothing")
                    self.assertEqual(inspect.signature(ours), inspect.signature(theirs))

    def test_errors(self) -> None:
        """What it raises is of the project's tree, and a clash says where it is."""
        for kind in (contract.Taken, contract.Older, contract.Gone):
            self.assertTrue(issubclass(kind, ConnectorDBError))
        self.assertEqual((contract.Taken("email").field, str(contract.Taken("email"))), ("email", "email is taken"))

    def test_values(self) -> None:
        """A series is its stream's unless it says otherwise, and is told from the downlink's."""
        self.assertEqual(contract.Series(5), contract.Series(5, downlink=False))
        self.assertEqual(len({contract.Series(5), contract.Series(5, downlink=True)}), 2)
        self.assertEqual(contract.Found(), contract.Found(None, None, None))
