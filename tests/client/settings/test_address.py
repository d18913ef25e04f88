"""Addresses of servers as users write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectordb.client.settings.address import base_url, base_urls
from connectordb.exceptions import LocalProtocolError
from tests.support.case import Case


class Addresses(Case):
    """One form for all spellings, and an error for what is no address."""

    def test_spellings(self) -> None:
        """A scheme is added, a slash and the API's root taken away, a path before it kept."""
        for given_url, wanted in (
            ("http://localhost:3124", "http://localhost:3124"),
            ("http://localhost:3124/", "http://localhost:3124"),
            ("http://localhost:3124/api/v1", "http://localhost:3124"),
            ("http://localhost:3124/api/v1/", "http://localhost:3124"),
            ("localhost:3124", "https://localhost:3124"),
            ("example.org", "https://example.org"),
            ("example.org/db/", "https://example.org/db"),
            ("https://example.org/db/api/v1/", "https://example.org/db"),
            ("HTTP://Example.org", "http://example.org"),
            ("  http://example.org\n", "http://example.org"),
            ("http://[::1]:3124/", "http://[::1]:3124"),
            ("https://example.org/myapi/v1", "https://example.org/myapi/v1"),
            ("https://bücher.example", "https://bücher.example"),
        ):
            with self.subTest(given_url):
                self.assertEqual(base_url(given_url), wanted)

    def test_refused(self) -> None:
        """What is no address says what was given and what is expected."""
        for bad in (
            "",
            " ",
            None,
            7,
            b"http://localhost",
            "http://",
            "https:///path",
            "ftp://example.org",
            "file:///etc/passwd",
            "not a url",
            "http://local host",
            "http://localhost:port",
            "http://localhost:99999",
            "http://localhost:0",
            "http://[::1",
            "http:/localhost:3124",
            "https:/example.org",
            "http://example.org/a b",
            "mailto:mara@example.org",
        ):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "expected something like 'http://"):
                base_url(bad)

    def test_several(self) -> None:
        """Several servers are each of them, once; a text is one."""
        self.assertEqual(base_urls("a"), ("https://a",))
        self.assertEqual(base_urls(["a", "http://b/", "https://A"]), ("https://a", "http://b"))
        for bad in ([], ["a", None], [""], None, 3, {"a": 1}):
            with self.subTest(bad), self.assertRaises(LocalProtocolError):
                base_urls(bad)

    def test_secrets_stay_out(self) -> None:
        """An address with a password or a key in it is refused, and not repeated."""
        for bad in (
            "http://mara:secret@localhost",
            "mara:secret@localhost",
            "http://localhost/?apikey=secret",
            "http://mara:secret@localhost:port",
            "http://localhost?apikey=secret#x",
            "ftp://mara:secret@localhost",
        ):
            with self.subTest(bad), self.assertRaises(ValueError) as caught:
                base_url(bad)
            self.assertNotIn("secret", str(caught.exception))

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Any text is an address that stays the same from then on, or refused."""
        try:
            first = base_url(text)
        except LocalProtocolError:
            return
        self.assertEqual(base_url(first), first)
