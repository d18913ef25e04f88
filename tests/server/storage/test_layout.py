"""The tables of a database file."""

from __future__ import annotations

from connectordb.runtime.layouts import migrate, version
from connectordb.runtime.sqlite import connect
from connectordb.server.storage.layout import MIGRATIONS

from ...support.case import Case


class Layout(Case):
    """An empty file gets all tables, once, and they hold together."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "layout.db"
        self.connection = connect(self.path)
        self.addCleanup(self.connection.close)
        migrate(self.connection, self.path, MIGRATIONS)

    def test_tables(self) -> None:
        """All tables are there, and stay as they are when the file is opened again."""
        look = "SELECT name, sql FROM sqlite_master ORDER BY name"
        before = self.connection.execute(look).fetchall()
        names = {name for name, _ in before}
        self.assertLessEqual({"users", "devices", "streams", "chunks", "insert_keys", "insert_key_counts"}, names)
        self.assertEqual(version(self.connection), len(MIGRATIONS))
        migrate(self.connection, self.path, MIGRATIONS)
        self.assertEqual(self.connection.execute(look).fetchall(), before)

    def test_whole(self) -> None:
        """SQLite finds nothing wrong in it."""
        self.assertEqual(self.connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        self.assertEqual(self.connection.execute("PRAGMA foreign_key_check").fetchall(), [])
