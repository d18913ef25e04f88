"""Password hashes."""

from __future__ import annotations

import base64
import hashlib
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.rights import passwords
from connectordb.server.rights.passwords import (
    fits_none,
    for_export,
    from_export,
    hash_password,
    is_current,
    is_to_be_renewed,
    verify_password,
)

from ...support.server import cheap_passwords

#: Cheap, so that tests are quick; one of them uses the real cost.
cheap = cheap_passwords()


class Hashing(unittest.TestCase):
    """What is stored of a password tells only whether another text is it."""

    def test_real(self) -> None:
        """A hash has its cost in it, and its salt is new each time."""
        one, other = hash_password("secret"), hash_password("secret")
        self.assertNotEqual(one, other)
        self.assertRegex(one, r"^scrypt\$16384\$8\$2\$[^$]{24}\$[^$]{44}$")
        self.assertTrue(verify_password("secret", one))
        self.assertFalse(verify_password("secret ", one))

    @given(st.text(), st.text())
    def test_any_text(self, password: str, other: str) -> None:
        """Any text may be a password, and no other one fits, but for zeros at its end, which HMAC does not see."""
        with cheap:
            stored = hash_password(password)
        self.assertTrue(verify_password(password, stored))
        self.assertEqual(verify_password(other, stored), other.rstrip("\0") == password.rstrip("\0"))

    def test_other_cost(self) -> None:
        """Hashes that were made at another cost are still verified."""
        salt = b"0123456789abcdef"
        digest = hashlib.scrypt(b"secret", salt=salt, n=1024, r=4, p=3, dklen=32)
        stored = f"scrypt$1024$4$3${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
        self.assertTrue(verify_password("secret", stored))

    def test_nonsense(self) -> None:
        """What is no hash of ours, or would take more than we give, fits nothing."""
        rest = "AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "="
        for stored in (
            "",
            "scrypt",
            "plain$secret",
            "scrypt$16384$8$2$AAAA",
            f"scrypt$x$8$1${rest}",
            f"scrypt$1073741824$8$1${rest}",
            f"scrypt$16$8$1000${rest}",
            f"scrypt$17$8$1${rest}",
            f"scrypt$0$8$1${rest}",
            f"scrypt$16$0$1${rest}",
            f"scrypt$16$8$0${rest}",
            f"scrypt$-16$-8$1${rest}",
            f"bcrypt$AAAA$$2a$31${'A' * 53}",
            f"bcrypt$AAAA$$2a$10${'A' * 52}",
            f"bcrypt$!$$2a$10${'A' * 53}",
            f"bcrypt$AAAA$$2a$10${'é' * 53}",
            f"SHA512$AAAA${'g' * 128}",
            f"SHA512$AAAA${'a' * 127}",
            f"SHA512$AAAA${'a' * 128}$",
            f"MD5$AAAA${'a' * 32}",
            "scrypt$16$8$1$!$!",
            "scrypt$16$8$1$AAAA$",
        ):
            with self.subTest(stored=stored):
                self.assertFalse(verify_password("", stored))
                self.assertTrue(fits_none(stored))

    def test_current(self) -> None:
        """What was made with less work than today's hashes, or otherwise, is to be replaced."""
        self.assertTrue(is_current(hash_password("secret")))
        with cheap:
            stored = hash_password("secret")
            self.assertTrue(is_current(stored))
        self.assertFalse(is_current(stored))
        for scheme, salt, hashed in (*_BCRYPT.values(), *_SHA512.values()):
            self.assertFalse(is_current(from_export(scheme, salt, hashed)))


#: What a 0.3 server exported of users with these passwords.
_BCRYPT = {
    "sesame-öffne dich": (
        "bcrypt",
        "844117f7-762f-490c-6937-f282aa82bacd",
        "$2a$10$Qp9111N4twcpCj6AMsVSJeVBZpFAgggciucF6Y91LIWBF0pvkLJo.",
    ),
    "b" * 80: (
        "bcrypt",
        "8ce811d1-59e9-42fb-4ed1-7f6c7590da7c",
        "$2a$10$.nCPeK9yWtecZXTQxLDlTuqAmtI8raqL0dtDwG50FmBIKBbnPkYM2",
    ),
    "a\0b": (
        "bcrypt",
        "301000c7-aa43-4872-5e17-e3e911d4cce3",
        "$2a$10$Fdu0H6u52MZkZbadtmkPV.CdnBijpaeZyYD49tTlrH09RCj6ypt5C",
    ),
    "x" * 71 + "é": (
        "bcrypt",
        "080b6696-d76e-4a26-6ed4-dd86221c0979",
        "$2a$10$fMIU2mvxknRyXQ1yp5ghy.LIRuP1UX.pqr.mP8PK159A9fQFf.2xC",
    ),
}
_SHA512 = {
    "secret": (
        "SHA512",
        "e94961b6-8ce2-4288-611e-27e1c1801e05",
        "a4db875f0a09e6e8dd8f6e7240d355340d383c67859746e7fa8ce0beea220adea6f735c1c1b68e61e6d00df4556521fea9f069f77e5a336a16"
        "ebc3e69e55c852",
    ),
    "öffne dich\0x": (
        "SHA512",
        "33fdf14b-793d-41fa-5d2a-d0548d031259",
        "a92de9fa8b947c8e81f6de968037146fbd217430b1d5fb71861907a643f3206966e5aa01621e1064fe552249ec7e4ac53a91c0d1f95b778d15"
        "f4bc8864fcb33e",
    ),
}


class OfTheOriginal(unittest.TestCase):
    """Hashes that a 0.3 server made are verified as they are."""

    def test_right(self) -> None:
        """The password that they were made of fits, whatever is in it, and no other one."""
        for password, (scheme, salt, hashed) in {**_BCRYPT, **_SHA512}.items():
            with self.subTest(password=password, scheme=scheme):
                stored = from_export(scheme, salt, hashed)
                self.assertFalse(fits_none(stored))
                self.assertTrue(verify_password(password, stored))
                for other in ("", f" {password}"):
                    self.assertFalse(verify_password(other, stored), other)

    def test_first_bytes(self) -> None:
        """bcrypt looks at 72 bytes, and where they end within a character at a part of it."""
        for password, other, fits in (
            ("b" * 80, "b" * 72, True),
            ("b" * 80, "b" * 72 + "c", True),
            ("b" * 80, "b" * 71, False),
            ("x" * 71 + "é", "x" * 71 + "è", True),  # the first of two bytes is the same
            ("x" * 71 + "é", "x" * 71 + "e", False),
        ):
            with self.subTest(password=password, other=other):
                self.assertEqual(verify_password(other, from_export(*_BCRYPT[password])), fits)

    def test_renewed(self) -> None:
        """They give way to ours, unless bcrypt has seen a part of the password only: the rest may be mistyped."""
        for password, said in {**_BCRYPT, **_SHA512}.items():
            with self.subTest(password=password):
                self.assertEqual(is_to_be_renewed(password, from_export(*said)), len(password.encode()) <= 72)
        self.assertTrue(is_to_be_renewed("x" * 80, from_export(*_SHA512["secret"])))
        with cheap:
            self.assertFalse(is_to_be_renewed("x", hash_password("x")))

    def test_round_trip(self) -> None:
        """An export says of a password what the one it came from said."""
        for said in (*_BCRYPT.values(), *_SHA512.values(), ("bcrypt", "söl$z", "$2a$"), ("SHA512", "", "")):
            with self.subTest(said=said):
                self.assertEqual(for_export(from_export(*said)), said)

    def test_ours(self) -> None:
        """Of ours it says scrypt, and nothing that it says is empty, which a 0.3 server would not take."""
        with cheap:
            stored = hash_password("secret")
        scheme, salt, hashed = for_export(stored)
        self.assertEqual((scheme, salt, hashed), ("scrypt", stored.split("$")[4], stored))
        self.assertEqual(from_export(scheme, "whatever", hashed), stored)
        self.assertEqual(for_export(""), ("scrypt", "-", "-"))
        self.assertTrue(fits_none(from_export(*for_export(""))))

    def test_unknown(self) -> None:
        """Other ways of hashing are refused, by name."""
        for scheme in ("MD5", "", "BCRYPT", "sha512"):
            with self.assertRaises(ValueError) as caught:
                from_export(scheme, "salt", "hash")
            self.assertIn(repr(scheme), str(caught.exception))

    @given(st.text(), st.text(), st.text())
    def test_any_text(self, salt: str, hashed: str, password: str) -> None:
        """Nothing that an export says of a password lets anybody in, or is an error, unless it is a hash."""
        for scheme in ("bcrypt", "SHA512", "scrypt"):
            stored = from_export(scheme, salt, hashed)
            self.assertFalse(verify_password(password, stored))
            for_export(stored)

    def test_without_bcrypt(self) -> None:
        """Where the library is missing, its hashes fit nothing, and the log says what to install."""
        with mock.patch.object(passwords, "_bcrypt", return_value=None):
            with self.assertLogs("connectordb.server.rights.passwords", "ERROR") as logged:
                self.assertFalse(verify_password("b" * 80, from_export(*_BCRYPT["b" * 80])))
        self.assertIn("pip install", logged.output[0])
