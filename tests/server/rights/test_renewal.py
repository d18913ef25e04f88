"""Hashes replaced after a login."""

from __future__ import annotations

import threading
from unittest import mock

import requests

from connectordb.server.crew import Crew
from connectordb.server.rights import passwords, renewal
from connectordb.server.rights.passwords import from_export, is_current, verify_password
from connectordb.server.rights.renewal import Renewals
from connectordb.server.storage import User, Writer

from ...support.case import SOON, Case
from ...support.server import cheap_passwords, run_server
from ..storage.trees import StorageCase

_FOREIGN = from_export(
    "SHA512",
    "e94961b6-8ce2-4288-611e-27e1c1801e05",
    "a4db875f0a09e6e8dd8f6e7240d355340d383c67859746e7fa8ce0beea220adea6f735c1c1b68e61e6d00df4556521fea9f069f77e5a336a16ebc3e6"
    "9e55c852",
)


class Replacing(StorageCase):
    """A hash that is not as today's are gives way, once, to one that is."""

    def setUp(self) -> None:
        super().setUp()
        patch = cheap_passwords()
        patch.start()
        self.addCleanup(patch.stop)
        self.hashers = Crew("passwords", 1, 1)
        self.addCleanup(self.hashers.close)
        self.renewals = Renewals(self.storage, self.hashers)

        def make(writer: Writer) -> User:
            fields = {"name": "mara", "email": "m@example.org", "role": "user", "public": True, "password": _FOREIGN}
            return writer.create_user({"nickname": "", "description": "", "icon": "", **fields})

        self.user: User = self.write(make)

    def settled(self) -> str:
        """Wait until nothing is under way; return what is stored."""
        self.eventually(lambda: not self.renewals._under_way, "the hash to be replaced")
        user = self.read(lambda reader: reader.find(("mara",)).user)
        assert user is not None
        return user.password

    def test_replaced(self) -> None:
        """The new one fits the same password."""
        with self.assertLogs("connectordb.server.rights.renewal", "INFO") as logged:
            self.renewals.offer(self.user, "secret")
            stored = self.settled()
        self.assertTrue(is_current(stored))
        self.assertTrue(verify_password("secret", stored))
        self.assertIn("mara", logged.output[0])
        self.assertNotIn("secret", "".join(logged.output))

    def test_current(self) -> None:
        """One of today stays."""
        with mock.patch.object(self.hashers, "submit", side_effect=AssertionError):
            stored = passwords.hash_password("secret")
            self.renewals.offer(User(**{**_row(self.user), "password": stored}), "secret")

    def test_changed_meanwhile(self) -> None:
        """A password that was changed meanwhile stays as it was changed."""
        begun, go_on = threading.Event(), threading.Event()

        def hashing(password: str) -> str:
            begun.set()
            go_on.wait(SOON)
            return "scrypt"

        with mock.patch.object(renewal, "hash_password", hashing):
            self.renewals.offer(self.user, "secret")
            self.assertTrue(begun.wait(SOON))
            self.renewals.offer(self.user, "secret")  # which is under way
            self.write(lambda writer: writer.update_user(self.user.id, {"password": "changed"}))
            go_on.set()
            self.assertEqual(self.settled(), "changed")

    def test_busy(self) -> None:
        """Where too much waits, or all is ending, it is left to the next login."""
        self.hashers.close()
        with self.assertLogs("connectordb.server.rights.renewal", "INFO") as logged:
            self.renewals.offer(self.user, "secret")
        self.assertIn("the next login tries again", logged.output[0])
        self.assertEqual(self.settled(), _FOREIGN)

    def test_storage_closed(self) -> None:
        """So it is where the storage takes nothing any more."""
        with mock.patch.object(self.storage, "write", side_effect=RuntimeError("closed")):
            with self.assertLogs("connectordb.server.rights.renewal", "INFO") as logged:
                self.renewals.offer(self.user, "secret")
                self.assertEqual(self.settled(), _FOREIGN)
        self.assertIn("closed", logged.output[0])


class AfterALogin(Case):
    """A real login replaces the hash."""

    def test_login(self) -> None:
        """The second login is by scrypt."""
        with run_server() as server:
            storage = server._database.storage  # type: ignore[union-attr]
            storage.write(lambda writer: writer.update_user(1, {"password": _FOREIGN})).result(SOON)

            def stored() -> str:
                user = storage.read(lambda reader: reader.find(("test",)).user).result(SOON)
                assert user is not None
                return user.password

            for password, status in (("wrong", 401), ("secret", 200)):
                self.assertEqual(stored(), _FOREIGN)
                url = f"{server.url}/api/v1/?q=this"
                self.assertEqual(requests.get(url, auth=("test", password), timeout=SOON).status_code, status)
            self.eventually(lambda: is_current(stored()), "the hash to be replaced")
            self.assertEqual(requests.get(url, auth=("test", "secret"), timeout=SOON).text, "test/user")


def _row(user: User) -> dict[str, object]:
    return {name: getattr(user, name) for name in type(user).__dataclass_fields__}
