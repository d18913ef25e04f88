"""Who calls, and that nobody reads it by accident."""

from __future__ import annotations

from base64 import b64decode

from connectordb.client.settings.credentials import Credentials
from connectordb.exceptions import LocalProtocolError
from tests.support.case import Case


class Headers(Case):
    """What is sent."""

    def sent(self, *given: str | None) -> str:
        """Return what the header holds."""
        header = Credentials.of(*given).header  # type: ignore[misc]
        assert header is not None
        self.assertTrue(header.startswith("Basic "))
        return b64decode(header.removeprefix("Basic ")).decode()

    def test_password(self) -> None:
        """A name and a password go as they are, in UTF-8."""
        self.assertEqual(self.sent("mara", "pass:wörd"), "mara:pass:wörd")
        self.assertEqual(self.sent("mara@example.org", ""), "mara@example.org:")
        self.assertTrue(Credentials.of("mara", "x").are_a_password)

    def test_apikey(self) -> None:
        """A key goes as the password of an empty name."""
        self.assertEqual(self.sent("the-key", None), ":the-key")
        self.assertFalse(Credentials.of("the-key", None).are_a_password)
        self.assertEqual(self.sent(" the-key\r\n", None), ":the-key")

    def test_nobody(self) -> None:
        """Nothing given, nothing sent."""
        self.assertIsNone(Credentials.of(None, None).header)

    def test_refused(self) -> None:
        """An empty key, which an original server takes for somebody's, is never sent; nor is what is no text."""
        for bad in (
            ("", None),
            ("\n", None),
            ("the-key", "http://localhost:3124"),
            ("", ""),
            ("", "secret"),
            (None, "secret"),
            (5, None),
            ("mara", 5),
            ("ma:ra", "secret"),
        ):
            with self.subTest(bad), self.assertRaises(LocalProtocolError) as caught:
                Credentials.of(*bad)  # type: ignore[arg-type]
            self.assertNotIn("secret", str(caught.exception))

    def test_not_shown(self) -> None:
        """Neither text nor repr hold the secret."""
        for credentials in (Credentials.of("mara", "secret"), Credentials.of("secret", None)):
            self.assertNotIn("secret", f"{credentials} {credentials!r}")
        self.assertEqual(str(Credentials.of("mara", "secret")), "the name 'mara' and its password")
        self.assertEqual(str(Credentials.of("secret", None)), "the API key")
        self.assertEqual(str(Credentials.of(None, None)), "no credentials")
