"""Tests of `connectordb.logger.file.counting`; that it adds up whatever happens is held by the machine in `test_ledger`."""

from __future__ import annotations

from connectordb.logger.file.counting import ACCEPTED, NEWEST, WAITING
from connectordb.logger.file.ids import MASK
from connectordb.logger.file.upgrade import open_file
from tests.support.case import Case


class CountingTests(Case):
    """Points are counted by their numbers."""

    def test_counts(self) -> None:
        """What is there, and what was, without a look at each."""
        connection = open_file(self.folder() / "a.db")
        self.addCleanup(connection.close)
        connection.execute(
            "INSERT INTO stream (id, name, schema, number, confirmed, aside, dropped, moved) VALUES (1, 'a', '{}', 4, 1, 2, 1, 1)"
        )
        query = f"SELECT {NEWEST}, {ACCEPTED}, {WAITING} FROM stream s"
        self.assertEqual(list(connection.execute(query, (MASK,))), [(0, 3, -1)])
        connection.execute("INSERT INTO point (id, t, d) VALUES (?, 1.0, '1')", ((1 << 40) + 7,))
        self.assertEqual(list(connection.execute(query, (MASK,))), [(7, 6, 2)])
