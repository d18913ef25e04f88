"""Layouts of a file."""

from __future__ import annotations

from pathlib import Path

from connectordb.exceptions import StorageError
from connectordb.runtime.layouts import migrate, version
from connectordb.runtime.sqlite import Connection, connect

from ..support.case import Case


def make_table(connection: Connection) -> None:
    """Make a table."""
    connection.execute("CREATE TABLE things(name TEXT)")


def add_column(connection: Connection) -> None:
    """Change it."""
    connection.execute("ALTER TABLE things ADD COLUMN size INTEGER")


class Migrations(Case):
    """A file is brought to the newest layout, a transaction a step."""

    def setUp(self) -> None:
        super().setUp()
        self.path: Path = self.folder() / "x.db"
        self.connection = connect(self.path)
        self.addCleanup(self.connection.close)

    def test_steps(self) -> None:
        """Each step runs once, whenever it came."""
        migrate(self.connection, self.path, [make_table])
        self.assertEqual(version(self.connection), 1)
        migrate(self.connection, self.path, [make_table, add_column])
        migrate(self.connection, self.path, [make_table, add_column])
        self.assertEqual(version(self.connection), 2)
        self.connection.execute("INSERT INTO things(name, size) VALUES ('a', 1)")

    def test_a_step_that_fails(self) -> None:
        """A step that fails leaves no trace, and is tried again next time."""

        def fail(connection: Connection) -> None:
            add_column(connection)
            raise RuntimeError("killed")

        with self.assertRaisesRegex(RuntimeError, "killed"):
            migrate(self.connection, self.path, [make_table, fail])
        self.assertEqual(version(self.connection), 1)
        migrate(self.connection, self.path, [make_table, add_column])

    def test_a_newer_file(self) -> None:
        """A file of a newer version is refused, not guessed at."""
        migrate(self.connection, self.path, [make_table, add_column])
        with self.assertRaisesRegex(StorageError, "newer version of connectordb.*install that version"):
            migrate(self.connection, self.path, [make_table])
