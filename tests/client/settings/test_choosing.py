"""Arguments, then the environment, then a profile; and a key is for the servers of its own source."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb import CONNECTORDB_URL, LocalProtocolError
from connectordb.client.settings.address import DEFAULT_URL, NotGiven
from connectordb.client.settings.choosing import (
    Chosen,
    Given,
    Setting,
    Settings,
    Source,
    addresses,
    choose,
    seconds,
)
from connectordb.client.settings.credentials import Credentials

DEFAULTS: Mapping[str, Any] = {"timeout": None, "verify": True, "ssl_context": None, "proxies": None, "threads": 16}
NOBODY = Credentials()


def chosen(
    url: object = DEFAULT_URL,
    credentials: Credentials = NOBODY,
    *,
    profile_name: str | None = None,
    anonymous: bool = False,
    environment: Source | None = None,
    profile: Source | None = None,
    process_wide: Mapping[str, Setting] | None = None,
    **options: Any,
) -> Chosen:
    """Return what these come to."""
    passed = Given(url, credentials, profile_name, anonymous, options, DEFAULTS)
    return choose(passed, lambda: environment, lambda: profile, process_wide or {})


def source(name: str, *servers: str, apikey: str = "", **options: Any) -> Source:
    """Return what a source of this *name* says."""
    return Source(servers, apikey, name, name, {option: Setting(value, name) for option, value in options.items()})


ENVIRONMENT = source("environment", "https://e", apikey="e-key")
PROFILE = source("profile", "https://p", apikey="p-key", verify="/p.pem")


class Servers(unittest.TestCase):
    """Whose server, and whose key."""

    def assertChose(self, found: Chosen, server: str, key: str, url_source: str, key_source: str) -> None:
        """Fail unless this is what was chosen."""
        self.assertEqual((found.servers, found.credentials.secret), ((server,), key))
        self.assertEqual((found.settings["url"].source, found.settings["credentials"].source), (url_source, key_source))

    def test_nothing(self) -> None:
        """Where nobody says anything it is nobody, at the default server."""
        self.assertChose(chosen(), CONNECTORDB_URL, "", "default", "default")
        self.assertChose(chosen(environment=Source()), CONNECTORDB_URL, "", "default", "default")

    def test_neither_passed(self) -> None:
        """The environment comes before the profile."""
        found = chosen(environment=ENVIRONMENT, profile=PROFILE)
        self.assertChose(found, "https://e", "e-key", "environment", "environment")
        self.assertChose(chosen(profile=PROFILE), "https://p", "p-key", "profile", "profile")

    def test_credentials_passed(self) -> None:
        """What was passed goes to the server that was passed, or to the default one, wherever others may be."""
        for credentials in (Credentials(secret="key"), Credentials("mara", "secret")):
            for url, server, said in ((DEFAULT_URL, CONNECTORDB_URL, "default"), ("a", "https://a", "argument")):
                found = chosen(url, credentials, environment=ENVIRONMENT, profile=PROFILE)
                self.assertChose(found, server, credentials.secret, said, "argument")

    def test_default_passed(self) -> None:
        """Who passes the default address means it."""
        self.assertEqual(DEFAULT_URL, CONNECTORDB_URL)
        self.assertNotIsInstance(CONNECTORDB_URL, NotGiven)
        found = chosen(CONNECTORDB_URL, environment=ENVIRONMENT, profile=PROFILE)
        self.assertChose(found, CONNECTORDB_URL, "", "argument", "default")

    def test_url_passed(self) -> None:
        """A key goes along where its source names the very server, and nowhere else."""
        for url, key, said in (
            ("https://e", "e-key", "environment"),
            ("E/api/v1/", "e-key", "environment"),
            ("https://e:443", "e-key", "environment"),
            ("https://p", "p-key", "profile"),
            ("http://e", "", "default"),
            ("https://e:8443", "", "default"),
            ("https://e/elsewhere", "", "default"),
            ("https://e.example", "", "default"),
            (["https://e"], "e-key", "environment"),
            (["https://e", "https://p"], "", "default"),
        ):
            with self.subTest(url):
                found = chosen(url, environment=ENVIRONMENT, profile=PROFILE)
                self.assertEqual((found.credentials.secret, found.settings["credentials"].source), (key, said))
                self.assertEqual(found.settings["url"].source, "argument")

    def test_several(self) -> None:
        """The key of several servers belongs to each of them."""
        several = source("environment", "https://a", "https://b", apikey="key")
        self.assertEqual(chosen(environment=several).servers, ("https://a", "https://b"))
        for url in ("https://b", ["https://b", "https://a"]):
            self.assertEqual(chosen(url, environment=several).credentials.secret, "key")
        self.assertEqual(chosen(["https://a", "https://c"], environment=several).credentials, NOBODY)

    def test_url_without_key(self) -> None:
        """The environment's address gets the profile's key only if that is for it."""
        for profile, key in ((PROFILE, ""), (source("profile", "https://e:443", apikey="p-key"), "p-key")):
            found = chosen(environment=source("environment", "https://e"), profile=profile)
            self.assertEqual((found.servers, found.credentials.secret), (("https://e",), key))

    def test_anonymous(self) -> None:
        """Nobody asks for no key, and reads no profile where the server is known."""
        found = chosen(anonymous=True, environment=ENVIRONMENT)
        self.assertChose(found, "https://e", "", "environment", "argument")
        self.assertChose(chosen(anonymous=True, profile=PROFILE), "https://p", "", "profile", "argument")
        with self.assertRaisesRegex(LocalProtocolError, "anonymous"):
            chosen(anonymous=True, credentials=Credentials(secret="key"))

    def test_profile_passed(self) -> None:
        """A profile that was named comes before the environment, and beside nothing else."""
        found = chosen(profile_name="p", environment=ENVIRONMENT, profile=PROFILE)
        self.assertChose(found, "https://p", "p-key", "profile", "profile")
        found = chosen(profile_name="p", anonymous=True, profile=PROFILE)
        self.assertChose(found, "https://p", "", "profile", "argument")
        for url, credentials in ((CONNECTORDB_URL, NOBODY), (DEFAULT_URL, Credentials(secret="key"))):
            with self.assertRaisesRegex(LocalProtocolError, "profile='p'"):
                chosen(url, credentials, profile_name="p", profile=PROFILE)

    def test_asked_for_nothing(self) -> None:
        """What was passed whole asks neither environment nor profile."""

        def never() -> Source:
            raise AssertionError("asked")

        for url, credentials, anonymous in (("a", Credentials(secret="key"), False), ("a", NOBODY, True)):
            choose(Given(url, credentials, None, anonymous, {}, {}), never, never)
        choose(Given("https://e", NOBODY, None, False, {}, {}), lambda: ENVIRONMENT, never)

    @given(
        st.lists(st.sampled_from("abc"), max_size=3),
        st.lists(st.sampled_from("abc"), max_size=3),
        st.lists(st.sampled_from("abc"), max_size=3),
        st.booleans(),
    )
    def test_key_stays_with_its_source(self, url: list[str], inside: list[str], kept: list[str], has_key: bool) -> None:
        """Whatever is passed and said: a key goes only to servers that its own source names."""
        sources = {
            "e-key": source("environment", *(f"https://{name}" for name in inside), apikey="e-key" * has_key),
            "p-key": source("profile", *(f"https://{name}" for name in kept), apikey="p-key"),
        }
        found = chosen(url or DEFAULT_URL, environment=sources["e-key"], profile=sources["p-key"])
        if key := found.credentials.secret:
            self.assertLessEqual(set(found.servers), set(sources[key].servers))
        if url:
            self.assertEqual(found.servers, tuple(dict.fromkeys(f"https://{name}" for name in url)))


class Options(unittest.TestCase):
    """The other arguments."""

    def test_order(self) -> None:
        """An argument goes before the environment, and that before the profile, if the profile is about the server."""
        wide = {"timeout": Setting(3.0, "environment")}
        said = source("profile", "https://p", timeout=5.0, verify="/p.pem")
        found = chosen(profile=said, process_wide=wide)
        self.assertEqual(found.options, {"timeout": 3.0, "verify": "/p.pem"})
        self.assertEqual(found.settings["timeout"], (3.0, "environment"))
        self.assertEqual(chosen(profile=said, process_wide=wide, timeout=1).options["timeout"], 1)
        self.assertEqual(chosen("https://q", profile=said).options, {})
        self.assertEqual(chosen("https://p", profile=said).options, {"timeout": 5.0, "verify": "/p.pem"})

    def test_defaults(self) -> None:
        """What nobody says is as by default, and told so."""
        found = chosen(threads=4)
        self.assertEqual(found.options, {"threads": 4})
        self.assertEqual(found.settings["threads"], (4, "argument"))
        self.assertEqual(found.settings["verify"], (True, "default"))

    def test_ssl_context(self) -> None:
        """A context that was passed says all about TLS: what others say of it does not count."""
        said = source("profile", "https://p", verify="/p.pem", timeout=5.0)
        found = choose(
            Given(DEFAULT_URL, NOBODY, None, False, {"ssl_context": "a context"}, {**DEFAULTS, "ssl_context": None}),
            lambda: None,
            lambda: said,
            {"verify": Setting("/e.pem", "environment")},
        )
        self.assertEqual(found.options, {"ssl_context": "a context", "timeout": 5.0})

    def test_unknown(self) -> None:
        """What a profile says and a connection does not take is left out."""
        self.assertEqual(chosen(profile=source("profile", "https://p", other=1)).options, {})


class Texts(unittest.TestCase):
    """What is shown, and how what people write is read."""

    def test_no_secrets(self) -> None:
        """Neither a key nor a password is in what is shown, nor one of a proxy."""
        for credentials in (Credentials(secret="hidden"), Credentials("mara", "hidden")):
            found = chosen("a", credentials, proxies={"https": "socks5://mara:hidden@proxy:1080"})
            self.assertIn("proxy:1080", str(found.settings))
            for text in (str(found.settings), repr(found.settings), repr(dict(found.settings)), repr(found)):
                self.assertNotIn("hidden", text)
        self.assertNotIn("hidden", repr(source("x", "https://a", apikey="hidden")))
        self.assertEqual(found.options["proxies"], {"https": "socks5://mara:hidden@proxy:1080"})

    def test_no_secrets_of_careless_proxies(self) -> None:
        """A proxy's password is not shown either where its address lacks a scheme, or has signs that should be quoted."""
        for address in ("mara:hidden@proxy:1080", "http://mara:x@hidden@proxy:1080", "http://mara:x/hidden@proxy:1080"):
            with self.subTest(address):
                found = chosen("a", Credentials(secret="key"), proxies={"https": address, "no_proxy": "b"})
                self.assertNotIn("hidden", str(found.settings))
                self.assertIn("…@proxy:1080", str(found.settings))
                self.assertNotIn("mara", str(found.settings))

    def test_lines(self) -> None:
        """Settings print a line each: name, value, source."""
        settings = Settings(
            {"url": Setting(("https://a", "https://b"), "argument"), "timeout": Setting(None, "default")}
        )
        self.assertEqual(
            str(settings).splitlines(),
            ["url      https://a, https://b  argument", "timeout  None                  default"],
        )
        self.assertEqual(repr(settings), "<Settings: url=https://a, https://b>")
        self.assertEqual(repr(Settings({})), "<Settings: all by default>")
        self.assertEqual((len(settings), list(settings)), (2, ["url", "timeout"]))

    def test_seconds(self) -> None:
        """A timeout is a number or two."""
        for text, value in (("30", 30.0), ("0.5", 0.5), ("5,60", (5.0, 60.0)), (" 5  60 ", (5.0, 60.0))):
            self.assertEqual(seconds(text), value)
        for text in ("", "soon", "0", "-1", "1,2,3", "inf", "nan", "5s"):
            with self.subTest(text), self.assertRaisesRegex(ValueError, "expected seconds"):
                seconds(text)

    def test_addresses(self) -> None:
        """Addresses have commas or spaces between them."""
        self.assertEqual(addresses("a, http://b/"), ("https://a", "http://b"))
        for text in ("", ",", "ftp://a", "a b://"):
            with self.subTest(text), self.assertRaises(LocalProtocolError):
                addresses(text)
