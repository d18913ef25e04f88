"""What comes into being along with a user."""

from __future__ import annotations

import uuid

from connectordb.server.storage import Taken, Writer
from connectordb.server.tree import BORN_DEVICES, create_user

from .storage.trees import StorageCase, user


class Users(StorageCase):
    """Every user has the devices ``user`` and ``meta``."""

    def test_devices(self) -> None:
        """They are as the wire says."""
        fields = {"name": "mara", "email": "m@x", "role": "user", "public": False, "nickname": "M"}
        made = self.write(lambda writer: create_user(writer, fields, "hash"))
        self.assertEqual((made.name, made.nickname, made.icon, made.password), ("mara", "M", "", "hash"))
        own, meta = self.read(lambda reader: reader.devices(made.id))
        self.assertEqual((own.name, meta.name), BORN_DEVICES)
        self.assertEqual(uuid.UUID(own.apikey).version, 4)
        self.assertEqual(
            (own.role, own.enabled, own.public, own.visible, own.user_editable, own.description, own.icon),
            ("user", True, False, True, True, "Holds manually inserted data for the user", "material:person"),
        )
        self.assertEqual(
            (meta.role, meta.enabled, meta.public, meta.visible, meta.user_editable, meta.icon, meta.apikey),
            ("", True, False, False, False, "material:bug_report", ""),
        )
        self.assertEqual(meta.description, "The meta device holds automatically generated streams")

    def test_taken(self) -> None:
        """If the name is taken there is no half user."""

        def make(writer: Writer) -> None:
            create_user(writer, {"name": "a", "email": "m@x", "role": "user", "public": True}, "hash")

        self.write(lambda writer: writer.create_user(user("a")))
        with self.assertRaises(Taken):
            self.write(make)
        self.assertEqual(self.read(lambda reader: reader.counts()), {"users": 1, "devices": 0, "streams": 0})
