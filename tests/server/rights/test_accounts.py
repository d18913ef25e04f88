"""Credentials."""

from __future__ import annotations

import base64
import unittest
import uuid
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.rights import accounts
from connectordb.server.rights.accounts import (
    ANONYMOUS,
    Caller,
    Claim,
    Cookie,
    Credentials,
    Key,
    Known,
    LoginRefused,
    Password,
    confirm,
    look_up,
    new_apikey,
    read_credentials,
)
from connectordb.server.rights.passwords import hash_password
from connectordb.server.storage import Writer
from connectordb.server.tree import create_user

from ...support.server import cheap_passwords
from ..storage.trees import StorageCase

#: Cheap, so that tests are quick.
cheap = cheap_passwords()


def basic(text: str | bytes, scheme: str = "Basic") -> str:
    """Return the header of these credentials."""
    return f"{scheme} {base64.b64encode(text.encode() if isinstance(text, str) else text).decode()}"


class Reading(unittest.TestCase):
    """The first kind of credentials that is there decides."""

    def test_kinds(self) -> None:
        """Basic with a name, Basic without, the parameter, nothing."""
        cases: list[tuple[str | None, str | None, Credentials]] = [
            (None, None, None),
            (None, "", None),
            ("", "k", Key("k")),
            (None, "k", Key("k")),
            (basic("mara:secret"), "k", Password("mara", "secret")),
            (basic("mara:se:cret"), None, Password("mara", "se:cret")),
            (basic("mara:"), None, Password("mara", "")),
            (basic(":key"), "k", Key("key")),
            (basic(":"), "k", Key("")),
            (basic("mara:x", "basic"), None, Password("mara", "x")),
            (basic("mära:é"), None, Password("mära", "é")),
            (basic("mära:é".encode("latin-1")), None, Password("mära", "é")),
        ]
        for authorization, apikey, expected in cases:
            with self.subTest(authorization=authorization, apikey=apikey):
                self.assertEqual(read_credentials(authorization, apikey), expected)

    def test_malformed(self) -> None:
        """A header that is not well-formed Basic counts as absent."""
        for header in (
            "Bearer abc",
            "Basic",
            "Basic ",
            "Basic !!!!",
            "Basic YQ",
            basic("no colon"),
            "Basic é",
            basic("a:b", "Basi"),
        ):
            with self.subTest(header=header):
                self.assertEqual(read_credentials(header, "k"), Key("k"))
                self.assertIsNone(read_credentials(header, None))

    @given(st.text(), st.text() | st.none())
    def test_anything(self, header: str, apikey: str | None) -> None:
        """Nothing that a client sends is an error here."""
        read_credentials(header, apikey)
        read_credentials(f"Basic {header}", apikey)

    @given(st.text().filter(lambda name: ":" not in name), st.text())
    def test_round_trip(self, name: str, secret: str) -> None:
        """Name and password arrive as they were sent, colons in the password included."""
        expected = Password(name, secret) if name else Key(secret)
        try:
            header = basic(f"{name}:{secret}")
        except UnicodeEncodeError:
            return
        self.assertEqual(read_credentials(header, None), expected)


class LoggingIn(StorageCase):
    """Who is there is let in, and the others are told why not, in the words of the wire."""

    def setUp(self) -> None:
        super().setUp()
        with cheap:
            hashed = hash_password("secret")

        def fill(writer: Writer) -> None:
            for name in ("mara", "ben"):
                fields = {"name": name, "email": f"{name}@example.org", "role": "user", "public": True}
                create_user(writer, fields, hashed)

        self.write(fill)

    def login(self, credentials: Credentials) -> str:
        """Log in; return the caller's path."""
        return confirm(self.read(lambda reader: look_up(reader, credentials))).path

    def test_password(self) -> None:
        """By name or address, whatever the case, one becomes one's ``user`` device."""
        for name in ("mara", "MARA", "Mara@Example.org"):
            self.assertEqual(self.login(Password(name, "secret")), "mara/user")

    def test_key(self) -> None:
        """By key one becomes the device that has it."""
        device = self.read(lambda reader: reader.find(("ben", "user")).device)
        assert device is not None
        self.assertEqual(self.login(Key(device.apikey)), "ben/user")

    def test_anonymous(self) -> None:
        """Without credentials one is nobody."""
        self.assertEqual(self.login(None), "nobody")
        self.assertEqual(ANONYMOUS.path, "nobody")

    def test_refused(self) -> None:
        """Everything else is refused, a device's empty key too."""
        device = self.read(lambda reader: reader.find(("ben", "user")).device)
        assert device is not None
        for credentials, message in (
            (Password("mara", "Secret"), "Incorrect Password"),
            (Password("mara", ""), "Incorrect Password"),
            (Password("mara/user", "secret"), "Login Failed. Check your username or password"),
            (Password("", "secret"), "Login Failed. Check your username or password"),
            (Password(device.apikey, ""), "Login Failed. Check your username or password"),
            (Key("wrong"), "The requested device was not found."),
            (Key(device.apikey.upper()), "The requested device was not found."),
            (Key("secret"), "The requested device was not found."),
            (Key(""), "Must have non-empty api key"),
        ):
            with self.subTest(credentials=credentials), self.assertRaises(LoginRefused) as caught:
                self.login(credentials)
            self.assertEqual(str(caught.exception), message)

    def test_cookie(self) -> None:
        """By a cookie one is the device that it names, as long as that has the key which the cookie proves."""
        device = self.read(lambda reader: reader.find(("ben", "user")).device)
        assert device is not None
        self.assertEqual(self.login(Cookie(("ben", "user"), lambda key: key == device.apikey)), "ben/user")
        for cookie in (
            Cookie(("ben", "user"), lambda key: False),
            Cookie(("ben", "meta"), lambda key: True),  # has no key
            Cookie(("ben", "nosuch"), lambda key: True),
            Cookie(("nosuch", "user"), lambda key: True),
            Cookie(("ben",), lambda key: True),
        ):
            with self.subTest(cookie.names), self.assertRaises(LoginRefused) as caught:
                self.login(cookie)
            self.assertEqual(str(caught.exception), "The requested device was not found.")

    def test_known(self) -> None:
        """Who was confirmed a moment ago is who he is now, or nobody any more."""
        found = self.read(lambda reader: reader.find(("ben", "user")))
        assert found.user is not None and found.device is not None
        known = Known(Caller(found.user, found.device))
        device = found.device
        self.write(lambda writer: writer.update_device(device.id, {"role": "reader"}))
        claim = self.read(lambda reader: look_up(reader, known))
        assert claim.caller.device is not None
        self.assertEqual((claim.caller.device.role, claim.is_slow), ("reader", False))
        self.assertEqual(self.login(Known(ANONYMOUS)), "nobody")
        self.write(lambda writer: writer.delete_device(device.id))
        with self.assertRaises(LoginRefused):
            self.login(known)

    def test_slow(self) -> None:
        """Only a password makes the last step slow, and the step before never checks it."""
        with mock.patch.object(accounts, "verify_password", side_effect=AssertionError):
            claim = self.read(lambda reader: look_up(reader, Password("mara", "x")))
        self.assertTrue(claim.is_slow)
        self.assertFalse(self.read(lambda reader: look_up(reader, None)).is_slow)
        self.assertFalse(Claim(Caller()).is_slow)


class Keys(unittest.TestCase):
    """API keys tell nothing."""

    def test_keys(self) -> None:
        """New keys are random UUIDs."""
        keys = {new_apikey() for _ in range(100)}
        self.assertEqual(len(keys), 100)
        self.assertEqual({uuid.UUID(key).version for key in keys}, {4})
