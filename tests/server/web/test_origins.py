"""Whose pages may do what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.web.origins import Asker, Origins

from ...support.case import Case

OWN = "http://localhost:3124"
EVIL = "http://evil.example"

FETCH_SITES = (None, "same-origin", "same-site", "cross-site", "none")


def asker(verb: str = "GET", origin: str | None = None, fetch_site: str | None = None, upgrade: bool = False) -> Asker:
    """Return who asks."""
    return Asker(verb, OWN, origin, fetch_site, upgrade)


class Cookies(Case):
    """When a cookie speaks for its user."""

    def test_table(self) -> None:
        """Where the browser says who asked, that decides; where it says nothing, only reading is believed."""
        believed = Origins().believes_cookie
        for given_asker, expected in (
            (asker(origin=OWN), True),
            (asker("POST", OWN), True),
            (asker(origin=OWN, upgrade=True), True),
            (asker("POST", OWN.upper()), True),
            (asker(origin=EVIL), False),
            (asker("POST", EVIL), False),
            (asker(origin=EVIL, upgrade=True), False),
            (asker(origin="null"), False),
            (asker(origin="http://localhost:8888"), False),  # the same site to a browser, which sends the cookie
            (asker(origin="https://localhost:3124"), False),
            (asker(origin=""), False),
            (asker(), True),
            (asker("HEAD"), True),
            (asker("POST"), False),
            (asker("DELETE"), False),
            (asker(upgrade=True), False),
            (asker("POST", fetch_site="same-origin"), True),
            (asker(fetch_site="same-origin"), True),
            (asker(fetch_site="none"), True),
            (asker("POST", fetch_site="none"), False),
            (asker(fetch_site="same-site"), False),
            (asker(fetch_site="cross-site"), False),
            (asker(fetch_site="none", upgrade=True), False),
            (asker(origin=EVIL, fetch_site="same-origin"), False),
        ):
            with self.subTest(given_asker):
                self.assertEqual(believed(given_asker), expected)

    def test_site(self) -> None:
        """The server's own origin is also what the configuration says."""
        origins = Origins(site_url="https://Data.example/db/")
        self.assertTrue(origins.believes_cookie(asker("POST", "https://data.example")))
        self.assertTrue(origins.believes_cookie(asker("POST", OWN)))
        self.assertFalse(origins.believes_cookie(asker("POST", "https://data.example:444")))

    def test_no_host(self) -> None:
        """Who does not say how he calls the server has no origin that could be its own."""
        self.assertFalse(Origins().believes_cookie(Asker("POST", "", "")))

    @given(
        st.sampled_from(("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")),
        st.one_of(st.none(), st.text(max_size=5), st.sampled_from((OWN, EVIL, "null"))),
        st.sampled_from(FETCH_SITES),
        st.booleans(),
    )
    def test_never_for_others(self, verb: str, origin: str | None, fetch_site: str | None, upgrade: bool) -> None:
        """Nothing that a browser sends for a page of another origin is believed, and no websocket without an origin."""
        believed = Origins().believes_cookie(asker(verb, origin, fetch_site, upgrade))
        if origin not in (None, OWN) or (origin is None and (upgrade or fetch_site in ("cross-site", "same-site"))):
            self.assertFalse(believed)


class LoggingIn(Case):
    """When a browser may be given a cookie."""

    def test_table(self) -> None:
        """Not for another page; by a link only if the browser says that no page asked."""
        may = Origins().may_log_in
        for given_asker, by_link, expected in (
            (asker(), False, True),
            (asker(), True, False),
            (asker(fetch_site="none"), True, True),
            (asker(fetch_site="same-origin"), True, True),
            (asker(fetch_site="cross-site"), False, False),
            (asker(fetch_site="same-site"), False, False),
            (asker(origin=OWN), True, True),
            (asker(origin=EVIL), False, False),
        ):
            with self.subTest(given_asker, by_link=by_link):
                self.assertEqual(may(given_asker, by_link), expected)


class Reading(Case):
    """What pages of other origins may read."""

    def test_any(self) -> None:
        """Without a setting any page may ask as itself, and none as the browser's user."""
        origins = Origins()
        self.assertEqual(origins.headers(None), {})
        self.assertEqual(origins.headers(EVIL)["Access-Control-Allow-Origin"], "*")

    def test_some(self) -> None:
        """With a list, only those."""
        origins = Origins(("https://app.example/",))
        self.assertEqual(origins.headers("https://app.example")["Access-Control-Allow-Origin"], "https://app.example")
        self.assertEqual(origins.headers(EVIL), {"Vary": "Origin"})

    @given(st.sets(st.sampled_from(("*", OWN, EVIL))), st.one_of(st.none(), st.text(max_size=9)))
    def test_never_with_a_login(self, allowed: set[str], origin: str | None) -> None:
        """No answer hands a browser's login to a page."""
        for headers in (Origins(allowed).headers(origin), Origins(allowed).preflight(origin)):
            self.assertNotIn("Access-Control-Allow-Credentials", headers)
