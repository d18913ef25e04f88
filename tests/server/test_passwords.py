"""Password hashes."""

from __future__ import annotations

import base64
import hashlib
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server import passwords
from connectordb.server.passwords import hash_password, verify_password

#: Cheap, so that tests are quick; one of them uses the real cost.
cheap = mock.patch.multiple(passwords, _N=16, _P=1)


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
        """Any text may be a password, and no other one fits."""
        with cheap:
            stored = hash_password(password)
        self.assertTrue(verify_password(password, stored))
        self.assertEqual(verify_password(other, stored), other == password)

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
            "scrypt$16$8$1$!$!",
            "scrypt$16$8$1$AAAA$",
        ):
            with self.subTest(stored=stored):
                self.assertFalse(verify_password("", stored))
