"""Reading a database from beside."""

from __future__ import annotations

from connectordb.exceptions import StorageError
from connectordb.runtime.sqlite import connect
from connectordb.server import database
from connectordb.server.onlooker import onlooking
from connectordb.server.storage import LAYOUT

from ..support.case import SOON
from .test_database import FolderCase


class Looking(FolderCase):
    """Short views of what there is, whoever has the folder open."""

    def test_beside(self) -> None:
        """Each look sees what was committed before it."""
        opened = self.opened_anew()
        with onlooking(self.path) as beside:
            self.assertEqual(beside.look(lambda reader: [user.name for user in reader.users()]), ["test"])
            opened.storage.write(lambda writer: writer.delete_user(1)).result(SOON)
            self.assertEqual(beside.look(lambda reader: reader.users()), [])

    def opened_anew(self) -> database.Database:
        """Return the database, made and opened."""
        self.made()
        return self.opened()

    def test_nothing_there(self) -> None:
        """What is no database is refused."""
        with self.assertRaises(StorageError), onlooking(self.path):
            pass

    def test_layouts(self) -> None:
        """A file of another layout is refused, with what to do."""
        self.made()
        for layout, advice in ((LAYOUT + 1, "install a newer one"), (LAYOUT - 1, "start its server once")):
            with connect(self.path / "connectordb.db") as connection:
                connection.pragma("user_version", layout)
            with self.subTest(layout=layout), self.assertRaises(StorageError) as caught, onlooking(self.path):
                pass
            self.assertIn(advice, str(caught.exception))
