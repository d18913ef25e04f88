"""Who is asking, behind proxies or not."""

from __future__ import annotations

import ipaddress
import unittest

from hypothesis import assume, given
from hypothesis import strategies as st

from connectordb.exceptions import ConfigurationError
from connectordb.server.proxies import Proxies, is_loopback, plain, site

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
HEADERS = st.lists(st.one_of(ADDRESSES, st.text(max_size=20)), max_size=5)


class ClientTests(unittest.TestCase):
    """The client's address."""

    proxies = Proxies(["10.0.0.0/8", "::1", "192.168.0.7"])

    def client(self, peer: str, *forwarded: str) -> str:
        """Return the address that is believed."""
        return self.proxies.seen(peer, encrypted=False, forwarded_for=forwarded).address

    def test_rightmost_that_is_not_trusted(self) -> None:
        """Going back from us, the first address that is no proxy of ours is the client's."""
        for peer, forwarded, client in (
            ("1.2.3.4", ("9.9.9.9",), "1.2.3.4"),  # not trusted: what it says is nothing
            ("10.0.0.1", (), "10.0.0.1"),
            ("10.0.0.1", ("1.2.3.4",), "1.2.3.4"),
            ("10.0.0.1", ("6.6.6.6, 1.2.3.4",), "1.2.3.4"),  # the first one was sent by the client
            ("10.0.0.1", ("6.6.6.6", "1.2.3.4, 10.0.0.2"), "1.2.3.4"),  # two proxies, two headers
            ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),  # a client among the proxies
            ("::1", ("1.2.3.4:5678",), "1.2.3.4"),
            ("::1", ("[2001:db8::1]:5678",), "2001:db8::1"),
            ("::ffff:10.0.0.1", ("::ffff:1.2.3.4",), "1.2.3.4"),
            ("10.0.0.1", ("1.2.3.4, unknown",), "10.0.0.1"),
            ("10.0.0.1", ("1.2.3.4, ,",), "10.0.0.1"),
            ("192.168.0.8", ("1.2.3.4",), "192.168.0.8"),
        ):
            with self.subTest(peer=peer, forwarded=forwarded):
                self.assertEqual(self.client(peer, *forwarded), client)

    @given(peer=ADDRESSES, forwarded=HEADERS, proto=HEADERS, host=HEADERS)
    def test_nobody_else_is_believed(self, peer: str, forwarded: list[str], proto: list[str], host: list[str]) -> None:
        """Without a trusted proxy, no header changes anything."""
        assume(not self.proxies.trusts(peer))
        seen = self.proxies.seen(
            peer,
            encrypted=True,
            host="me:1",
            forwarded_for=forwarded,
            forwarded_proto=proto,
            forwarded_host=host,
        )
        self.assertEqual((seen.address, seen.scheme, seen.host), (plain(peer), "https", "me:1"))

    @given(written=HEADERS, client=ADDRESSES)
    def test_what_a_client_wrote_is_nothing(self, written: list[str], client: str) -> None:
        """Whatever stands before what our proxy added, the client stays the one that the proxy saw."""
        assume(not self.proxies.trusts(client))
        self.assertEqual(self.client("10.0.0.1", *written, client), plain(client))

    @given(st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5), st.text())
    def test_always_a_request(self, forwarded: list[str], proto: list[str], host: list[str], own: str) -> None:
        """Whatever stands in the headers, there is an address, a scheme, and a host that breaks out of no URL."""
        seen = self.proxies.seen(
            "10.0.0.1",
            encrypted=False,
            host=own,
            forwarded_for=forwarded,
            forwarded_proto=proto,
            forwarded_host=host,
        )
        ipaddress.ip_address(seen.address)
        self.assertIn(seen.scheme, ("http", "https"))
        self.assertFalse(set(seen.host) & set("/\\@?#<>\"' \r\n\t,"), seen.host)


class OriginTests(unittest.TestCase):
    """Our own origin."""

    def test_as_browsers_write_it(self) -> None:
        """The scheme and host by which the client knows us, without a port that goes without saying."""
        proxies = Proxies(["127.0.0.1"])
        for arguments, origin in (
            ({"host": "Pi.local:3124"}, "http://pi.local:3124"),
            ({"host": "pi.local:80"}, "http://pi.local"),
            ({"host": "pi.local:443", "forwarded_proto": ("https",)}, "https://pi.local"),
            ({"host": "127.0.0.1:3124", "forwarded_host": ("me.example",)}, "http://me.example"),
            ({"host": "a", "forwarded_host": ("evil/..", "b")}, "http://b"),
            ({"host": "a", "forwarded_host": ("b, evil/..",)}, "http://a"),
            ({"host": "a", "forwarded_proto": ("http, HTTPS",)}, "https://a"),
            ({"host": "a", "forwarded_proto": ("gopher",)}, "http://a"),
            ({"host": "[::1]:3124"}, "http://[::1]:3124"),
            ({"host": "a b"}, ""),
            ({}, ""),
        ):
            with self.subTest(arguments):
                seen = proxies.seen("127.0.0.1", encrypted=False, **arguments)  # type: ignore[arg-type]
                self.assertEqual(seen.origin, origin)


class AddressTests(unittest.TestCase):
    """Addresses by themselves."""

    def test_networks(self) -> None:
        """What is no network is told, with what was expected."""
        for text in ("10.0.0.0/33", "proxy.example", "", "10.0.0.1/8"):
            with self.subTest(text), self.assertRaisesRegex(ConfigurationError, "trusted_proxies.*10.0.0.0/8"):
                Proxies([text])

    def test_sites(self) -> None:
        """Who has a whole network of IPv6 addresses is still one."""
        self.assertEqual(site("2001:db8::1"), site("2001:db8::ffff:2"))
        self.assertNotEqual(site("2001:db8::1"), site("2001:db8:0:1::1"))
        self.assertEqual(site("::ffff:1.2.3.4"), "1.2.3.4")
        self.assertNotEqual(site("1.2.3.4"), site("1.2.3.5"))
        self.assertEqual(site("fe80::1%eth0"), site("fe80::2"))
        self.assertEqual(site(""), "")

    def test_loopback(self) -> None:
        """Only what nobody else reaches is loopback."""
        for host in ("127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]", "LOCALHOST", "::ffff:127.0.0.1"):
            self.assertTrue(is_loopback(host), host)
        for host in ("", "0.0.0.0", "::", "192.168.0.1", "pi.local", "127.0.0.1.example", "localhost.example"):
            self.assertFalse(is_loopback(host), host)
