"""Which proxy leads to a server."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping
from unittest import mock

from connectordb.exceptions import LocalProtocolError
from connectordb.network.proxies import proxy_for


class Choosing(unittest.TestCase):
    """By what was passed, and by the environment."""

    def chosen(self, url: str, given: Mapping[str, str], **environment: str) -> str | None:
        """Return the proxy."""
        names = "http_proxy https_proxy all_proxy no_proxy".split()
        with mock.patch.dict(os.environ, environment):
            for name in names:
                if name not in environment:
                    os.environ.pop(name, None)
            proxy = proxy_for(url, given)
            return None if proxy is None else proxy.url

    def test_given(self) -> None:
        """What is passed is used: for the scheme, for the host, or for all; with its own scheme, or http."""
        one = "http://proxy:8080"
        for given, proxy in (
            ({"http": one}, one),
            ({"http": "proxy:8080"}, one),
            ({"https": one}, None),
            ({"all": one}, one),
            ({"http://db": one, "http": "http://other"}, one),
            ({}, None),
        ):
            with self.subTest(given):
                self.assertEqual(self.chosen("http://db:3124", given), proxy)

    def test_environment(self) -> None:
        """The environment is asked for what is not said."""
        self.assertEqual(self.chosen("http://db", {}, http_proxy="http://a"), "http://a")
        self.assertEqual(self.chosen("https://db", {}, http_proxy="http://a"), None)
        self.assertEqual(self.chosen("https://db", {}, all_proxy="socks5://a"), "socks5://a")
        self.assertEqual(self.chosen("http://db", {"http": "http://b"}, http_proxy="http://a"), "http://b")

    def test_no_address(self) -> None:
        """What is no address of a proxy is refused, without the password in it."""
        for proxy in ("http://:", "ftp://mara:secret@p", "http://mara:secret@p:99999", "http://p:0", "http://[::"):
            with self.subTest(proxy), self.assertRaisesRegex(LocalProtocolError, "no address of one") as caught:
                self.chosen("http://db", {"http": proxy})
            self.assertNotIn("secret", str(caught.exception))

    def test_who_says_so(self) -> None:
        """It is told who says that it is to be used; its name and password are not."""
        with mock.patch.dict(os.environ, {"HTTPS_PROXY": "http://mara:se@cret@a:1", "no_proxy": ""}):
            os.environ.pop("https_proxy", None)
            for given, source in (
                ({}, "HTTPS_PROXY of the environment"),
                ({"https": "http://mara:se@cret@a:1"}, "proxies="),
            ):
                proxy = proxy_for("https://db", given)
                assert proxy is not None
                self.assertEqual(str(proxy), f"the proxy http://a:1 ({source})")
                self.assertNotIn("cret", repr(proxy))
                self.assertEqual((proxy.name, proxy.password), (b"mara", b"se@cret"))
            os.environ["HTTPS_PROXY"] = "nothing://a"
            with self.assertRaisesRegex(LocalProtocolError, "HTTPS_PROXY of the environment"):
                proxy_for("https://db", {})

    def test_none(self) -> None:
        """Some hosts have none: those that the environment names, or the caller."""
        self.assertEqual(self.chosen("http://db", {}, http_proxy="http://a", no_proxy="db"), None)
        self.assertEqual(self.chosen("http://db", {"no_proxy": "db"}, http_proxy="http://a"), None)
