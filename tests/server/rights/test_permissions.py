"""The permission tables: each actor against each operation, as recorded from a 0.3 server."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

from connectordb.server.rights.accounts import ANONYMOUS, Caller
from connectordb.server.rights.permissions import DEFAULT, FIELDS, FieldSet, Level, Permissions, relation
from connectordb.server.storage import Device, User

from ...support.case import Case

ROLES = ("none", "reader", "writer", "user")
REST = frozenset("nickname description icon".split())


def user(number: int, role: str = "user", public: bool = True) -> User:
    """Return a user."""
    return User(number, f"u{number}", "", "", "", "", role, public, "")


def device(number: int, of: int, role: str = "", public: bool = False) -> Device:
    """Return a device of a user."""
    return Device(number, of, f"d{number}", "", "", "", "", True, public, role, True, True)


def caller(role: str, user_role: str = "user") -> Caller:
    """Return a device of the first user."""
    return Caller(user(1, user_role), device(1, 1, role))


class Relations(Case):
    """How objects stand to the caller."""

    def test_relations(self) -> None:
        """A user is never self; of another user's device only its own flag counts."""
        me = caller("user")
        for owner, of, wanted in (
            *((user(1), None, "own"), (user(1), device(1, 1), "self"), (user(1), device(2, 1), "own")),
            *((user(2), None, "public"), (user(2, public=False), None, "private"), (user(2), device(3, 2), "private")),
            (user(2, public=False), device(3, 2, public=True), "public"),
        ):
            with self.subTest(owner=owner, of=of):
                self.assertEqual(relation(me, owner, of), wanted)
        self.assertEqual(relation(ANONYMOUS, user(1), device(1, 1, public=True)), "public")


class Matrix(Case):
    """What each pair of roles may do; the table is in ``docs/topics/wire.rst``, "Permissions"."""

    def write(self, role: str, where: Any, user_role: str = "user") -> FieldSet:
        """Return what may be written."""
        return DEFAULT.rights(caller(role, user_role), where).write

    def hidden(self, role: str, where: Any, kind: Any, user_role: str = "user", write: bool = False) -> set[str] | None:
        """Return the fields that are not granted; `None` if nothing is."""
        rights = DEFAULT.rights(caller(role, user_role), where)
        granted = (rights.write if write else rights.read).of(kind)
        return None if granted is None else {*FIELDS[kind]} - granted - {"password" if not write else ""}

    def test_private(self) -> None:
        """Nobody but administrators reaches private objects of others, and nobody at all without a login."""
        for role in ROLES:
            self.assertEqual(DEFAULT.rights(caller(role), "private"), Level())
        for where in ("self", "own", "public", "private"):
            self.assertEqual(DEFAULT.rights(ANONYMOUS, where), Level())

    def test_self(self) -> None:
        """Every device reads all of itself, and writes its data; only user devices write their own downlinks."""
        for role in ROLES:
            with self.subTest(role):
                rights = DEFAULT.rights(caller(role), "self")
                self.assertTrue(rights.read.data and rights.read.downlink and rights.write.data)
                self.assertEqual(rights.write.downlink, role == "user")
                self.assertEqual(self.hidden(role, "self", "device"), set())
                no = {"name", "user_editable"} | ({"role"} if role != "user" else set())
                self.assertEqual(self.hidden(role, "self", "device", write=True), no)
                self.assertEqual(self.hidden(role, "self", "stream", write=True), {"name"})
                self.assertLessEqual({"create stream", "delete stream", "delete device"}, rights.actions)

    def test_own(self) -> None:
        """A reader reads all but keys, a writer changes too and commands, a user device does nearly everything."""
        self.assertEqual(DEFAULT.rights(caller("none"), "own"), Level())
        for role in ("reader", "writer"):
            self.assertEqual(self.hidden(role, "own", "device"), {"apikey"})
            self.assertEqual(DEFAULT.rights(caller(role), "own").actions, {"list devices", "list streams"})
        self.assertIsNone(self.hidden("reader", "own", "device", write=True))
        writes = self.write("writer", "own")
        self.assertEqual((writes.data, writes.downlink), (False, True))
        self.assertEqual(self.hidden("writer", "own", "user", write=True), {"name", "role", "password"})
        self.assertEqual(
            self.hidden("writer", "own", "device", write=True), {"name", "apikey", "role", "user_editable"}
        )
        writes = self.write("user", "own")
        self.assertEqual((writes.data, writes.downlink), (False, True))
        self.assertEqual(self.hidden("user", "own", "user", write=True), {"name", "role"})
        self.assertEqual(self.hidden("user", "own", "device", write=True), {"name", "user_editable"})
        self.assertNotIn("delete user", DEFAULT.rights(caller("user"), "own").actions)

    def test_public(self) -> None:
        """What is public is read without keys, roles and addresses, and never written."""
        for role in ("reader", "writer", "user"):
            with self.subTest(role):
                rights = DEFAULT.rights(caller(role), "public")
                self.assertTrue(rights.read.data and rights.read.downlink)
                self.assertEqual(self.hidden(role, "public", "user"), {"email", "role"})
                self.assertEqual(self.hidden(role, "public", "device"), {"apikey", "role", "user_editable"})
                self.assertEqual(rights.write, FieldSet())

    def test_administrators(self) -> None:
        """An administrator's user device does everything but write others' data; its other devices are held by their role."""
        for where in ("own", "public", "private"):
            rights = DEFAULT.rights(caller("user", "admin"), where)
            self.assertEqual(len(rights.actions), 9)
            self.assertEqual((rights.write.data, rights.write.downlink), (False, True))
            for kind, write in product(FIELDS, (True, False)):
                self.assertEqual(self.hidden("user", where, kind, "admin", write), set())
            self.assertEqual(DEFAULT.rights(caller("none", "admin"), where), Level())
            self.assertEqual(self.hidden("writer", where, "device", "admin", True), {"apikey", "role"})
        self.assertEqual(self.hidden("none", "self", "device", "admin", True), {"name", "role"})

    def test_counting(self) -> None:
        """Only an administrator's user devices count."""
        for role, user_role in product((*ROLES, "", "odd"), ("user", "admin", "odd")):
            with self.subTest(role=role, user_role=user_role):
                may = [DEFAULT.may_count(caller(role, user_role), what) for what in ("users", "devices", "streams")]
                self.assertEqual(may, [(role, user_role) == ("user", "admin")] * 3)

    def test_unknown_roles(self) -> None:
        """Unknown roles count as those that may least."""
        for where in ("self", "own", "public", "private"):
            self.assertEqual(DEFAULT.rights(caller("user", "odd"), where), Level())
            self.assertEqual(DEFAULT.rights(caller("odd"), where), DEFAULT.rights(caller(""), where))
            self.assertEqual(DEFAULT.rights(caller("none"), where), DEFAULT.rights(caller(""), where))


class Custom(Case):
    """Other tables."""

    def test_public_server(self) -> None:
        """With tables of its own a server lets anybody see what is public."""
        nobody = replace(DEFAULT.user_roles["nobody"], levels={**DEFAULT.user_roles["user"].levels})
        tables = Permissions({**DEFAULT.user_roles, "nobody": nobody}, DEFAULT.device_roles, DEFAULT.levels)
        self.assertTrue(tables.access(ANONYMOUS, user(2), device(3, 2, public=True)).read.data)
        self.assertFalse(tables.access(ANONYMOUS, user(2), device(3, 2)).read.data)

    def test_intersection(self) -> None:
        """An intersection is in both, and REST is in every set."""
        one = FieldSet({"user": REST, "device": REST}, data=True)
        two = FieldSet({"user": frozenset(("icon", "role"))}, data=True, downlink=True)
        self.assertEqual(one & two, FieldSet({"user": frozenset(("icon",))}, data=True))
        for level in DEFAULT.levels.values():
            for kind in level.read.fields:
                self.assertLessEqual(REST, level.read.fields[kind])
