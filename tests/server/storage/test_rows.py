"""Users, devices and streams as rows."""

from __future__ import annotations

from typing import Any

from connectordb.server.storage import Found, Taken, Writer
from connectordb.server.storage.rows import key_digest, same_key

from .trees import StorageCase, device, plant, stream, user


class Rows(StorageCase):
    """Users, devices and streams are kept as they were given."""

    def test_columns(self) -> None:
        """All columns come back, with the kinds that they have."""
        given = user(
            "mara", nickname="Mara", description="é漢😀", icon="fa:x", role="admin", public=False, password="h"
        )
        made = self.write(lambda writer: writer.create_user(given))
        self.assertEqual({**given, "id": made.id}, {name: getattr(made, name) for name in (*given, "id")})
        self.assertIs(made.public, False)
        given = device("lamp", apikey="k", enabled=False, role="user")
        lamp = self.write(lambda writer: writer.create_device(made.id, given))
        self.assertEqual(given, {name: getattr(lamp, name) for name in given})
        self.assertEqual(lamp.user_id, made.id)
        given = stream("light", schema='{"type":"number"}', downlink=True)
        light = self.write(lambda writer: writer.create_stream(lamp.id, given))
        self.assertEqual(given, {name: getattr(light, name) for name in given})
        self.assertEqual(light.device_id, lamp.id)
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "lamp", "light"))), Found(made, lamp, light))
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "lamp"))), Found(made, lamp))
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "lamp", "x"))), Found(made, lamp))
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "x", "light"))), Found(made))
        self.assertEqual(self.read(lambda reader: reader.find(("Mara", "lamp", "light"))), Found())

    def test_wrong_columns(self) -> None:
        """Columns that are missing, unknown or fixed are a mistake of the caller's."""
        self.write(plant)
        for wrong in (
            lambda writer: writer.create_user({"name": "x"}),
            lambda writer: writer.create_user(user("x", colour="red")),
            lambda writer: writer.update_user(1, {"id": 5}),
            lambda writer: writer.update_device(1, {"user_id": 5}),
            lambda writer: writer.update_stream(1, {"colour = 1 --": 5}),
        ):
            with self.assertRaises(ValueError):
                self.write(wrong)

    def test_taken(self) -> None:
        """Names, addresses and keys are unique, each in its scope, and the error says which it was."""

        def fill(writer: Writer) -> None:
            for name in ("a", "b"):
                owner = writer.create_user(user(name))
                writer.create_stream(writer.create_device(owner.id, device("d", apikey=name)).id, stream("s"))
            for name in ("e", "f"):
                writer.create_device(1, device(name))  # any number of devices has no key

        self.write(fill)
        refused: list[tuple[str, Any]] = [
            ("name", lambda writer: writer.create_user(user("a", email="new"))),
            ("email", lambda writer: writer.create_user(user("c", email="b@localhost"))),
            ("name", lambda writer: writer.create_device(1, device("d"))),
            ("apikey", lambda writer: writer.create_device(1, device("new", apikey="b"))),
            ("name", lambda writer: writer.create_stream(1, stream("s"))),
            ("email", lambda writer: writer.update_user(1, {"email": "b@localhost"})),
            ("name", lambda writer: writer.update_user(1, {"name": "b"})),
            ("apikey", lambda writer: writer.update_device(1, {"apikey": "b"})),
        ]
        for field, work in refused:
            with self.subTest(field=field), self.assertRaises(Taken) as caught:
                self.write(work)
            self.assertEqual(caught.exception.field, field)
        self.write(lambda writer: writer.update_user(1, {"name": "a", "email": "a@localhost"}))  # one's own is free
        self.write(lambda writer: writer.update_device(1, {"apikey": "a"}))
        self.write(lambda writer: writer.create_user(user("A")))  # names are compared exactly
        self.assertEqual(self.read(lambda reader: reader.counts()), {"users": 3, "devices": 4, "streams": 2})

    def test_update(self) -> None:
        """Only what is given changes."""
        self.write(plant)
        before = self.read(lambda reader: reader.find(("mara",)).user)
        assert before is not None
        self.assertEqual(self.write(lambda writer: writer.update_user(before.id, {})), before)
        after = self.write(lambda writer: writer.update_user(before.id, {"public": False, "nickname": "M"}))
        self.assertEqual((after.public, after.nickname, after.email), (False, "M", before.email))

    def test_keys(self) -> None:
        """Keys are compared whole, and looked up by something that does not show them."""
        for one, other, same in (
            ("a", "a", True),
            ("a", "b", False),
            ("", "", True),
            ("é", "é", True),
            ("a", "ab", False),
        ):
            self.assertEqual(same_key(one, other), same)
            self.assertEqual(key_digest(one) == key_digest(other), same)
        self.assertIsNone(key_digest(""))
        self.assertNotIn(b"secret", key_digest("secret") or b"")
