"""The users of a database whose server is stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from connectordb.exceptions import DatabaseInUse, LocalProtocolError, StorageError
from connectordb.server import database, default_permissions
from connectordb.server.rights.accounts import Key, LoginRefused, Password, confirm, look_up
from connectordb.server.upkeep.users import Account, add_user, list_users, remove_user, set_password, set_role

from ...support.case import SOON
from ..test_database import FolderCase


class Users(FolderCase):
    """Whoever has the folder has the users."""

    def setUp(self) -> None:
        super().setUp()
        self.made()

    def login(self, name: str, password: str) -> str:
        """Log in; return the caller's path."""
        with database.open(self.path) as opened:
            claim = opened.storage.read(lambda reader: look_up(reader, Password(name, password))).result(SOON)
        return confirm(claim).path

    @contextmanager
    def refused(self, *expected: str) -> Iterator[None]:
        """Expect an error that says all this, and no change."""
        before = list_users(self.path)
        with self.assertRaises(LocalProtocolError) as caught:
            yield
        for part in expected:
            self.assertIn(part, str(caught.exception))
        self.assertEqual(list_users(self.path), before)

    def test_list(self) -> None:
        """All are listed in order of name, also while the server runs."""
        add_user(self.path, "mara", "secret", email="mara@example.org", public=True)
        with database.open(self.path) as opened:
            opened.storage.write(lambda writer: writer.update_user(1, {"password": ""})).result(SOON)
            accounts = list_users(self.path)
        self.assertEqual(
            accounts,
            [
                Account("mara", "mara@example.org", "user", True, 2, True),
                Account("test", "test@localhost", "admin", False, 2, False),
            ],
        )

    def test_add(self) -> None:
        """Who is added logs in; what will not do or is taken is refused."""
        add_user(self.path, "mara", "secret", email="mara@example.org", role="admin")
        self.assertEqual(self.login("mara@example.org", "secret"), "mara/user")
        self.assertEqual(list_users(self.path)[0], Account("mara", "mara@example.org", "admin", False, 2, True))
        for name, password, email, role, expected in (
            ("mara", "p", "new@example.org", "user", "name is taken"),
            ("new", "p", "mara@example.org", "user", "email is taken"),
            ("new", "p", "nonsense", "user", "no email address"),
            ("new", "", "new@example.org", "user", "empty password"),
            ("new", "p", "new@example.org", "king", "no role 'king'"),
            ("root", "p", "new@example.org", "user", "reserved"),
            ("a/b", "p", "new@example.org", "user", "'a/b'"),
        ):
            with self.subTest(expected=expected), self.refused(expected):
                add_user(self.path, name, password, email=email, role=role)

    def test_password(self) -> None:
        """The new password works, the old one not any more; a key stays unless a new one is asked for."""
        with database.open(self.path) as opened:
            key = opened.storage.read(lambda reader: reader.find(("test", "user")).device).result(SOON).apikey
        set_password(self.path, "test", "new")
        self.assertEqual(self.login("test", "new"), "test/user")
        with self.assertRaises(LoginRefused):
            self.login("test", "test")
        for new_key in (False, True):
            set_password(self.path, "test", "new", new_key=new_key)
            with database.open(self.path) as opened:
                found = opened.storage.read(lambda reader: look_up(reader, Key(key)) if reader.find_key(key) else None)
                self.assertEqual(found.result(SOON) is None, new_key)
        for name, password, expected in (
            ("Test", "p", "did you mean 'test'?"),
            ("x", "p", "there are 'test'"),
            ("test", "", "empty"),
        ):
            with self.subTest(expected=expected), self.refused(expected):
                set_password(self.path, name, password)

    def test_role(self) -> None:
        """A role is changed, but the last administrator stays one unless that is forced."""
        add_user(self.path, "mara", "secret", email="mara@example.org")
        with self.refused("last administrator", "role NAME admin"):
            set_role(self.path, "test", "user")
        with self.refused("no role 'king'", "'admin'"):
            set_role(self.path, "mara", "king")
        set_role(self.path, "mara", "admin")
        set_role(self.path, "test", "user")
        set_role(self.path, "mara", "user", force=True)
        self.assertEqual([account.role for account in list_users(self.path)], ["user", "user"])

    def test_role_of_a_file(self) -> None:
        """Where a permissions file is configured, its roles are those that there are."""
        (self.path / "connectordb.toml").write_text('[permissions]\nfile = "permissions.json"\n')
        roles, devices, rest = default_permissions().partition('"device_roles"')
        roles = re.sub('(?<!, )"user"', '"king"', roles)
        (self.path / "permissions.json").write_text(roles + devices + rest)
        with self.refused("no role 'kong'", "'king'"):
            set_role(self.path, "test", "kong")
        add_user(self.path, "mara", "secret", email="mara@example.org", role="king")
        self.assertEqual(list_users(self.path)[0].role, "king")

    def test_remove(self) -> None:
        """A user goes with everything, the last administrator only by force."""
        add_user(self.path, "mara", "secret", email="mara@example.org")
        with self.refused("last administrator"):
            remove_user(self.path, "test")
        remove_user(self.path, "mara")
        with self.refused("no user 'mara'"):
            remove_user(self.path, "mara")
        remove_user(self.path, "test", force=True)
        self.assertEqual(list_users(self.path), [])

    def test_running(self) -> None:
        """Nothing is changed under a server."""
        with database.open(self.path):
            for change in (
                lambda: add_user(self.path, "mara", "p", email="m@example.org"),
                lambda: set_password(self.path, "test", "p"),
                lambda: set_role(self.path, "test", "admin"),
                lambda: remove_user(self.path, "test", force=True),
            ):
                with self.assertRaises(DatabaseInUse) as caught:
                    change()
                self.assertIn("connectordb stop", str(caught.exception))

    def test_no_database(self) -> None:
        """A folder that is none is told."""
        with self.assertRaises(StorageError):
            list_users(self.path / "below")
