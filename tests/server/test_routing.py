"""Where verbs and paths lead."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.handlers import Refusal, atom, create, crud, data, sessions
from connectordb.server.routing import Redirect, Route, allowed, kind_of, route

from ..support.case import Case


class Routes(Case):
    """The table."""

    def test_names(self) -> None:
        """Names are taken out of the path, unquoted; an escaped slash separates."""
        found = route("GET", "/api/v1/crud/a%62/c%2Fd")
        assert isinstance(found, Route)
        self.assertEqual((found.names, found.handler), (("ab", "c", "d"), crud.read))
        self.assertEqual(route("POST", "/api/v1/crud/a/data"), Route("write", create.create, ("a", "data")))

    def test_data(self) -> None:
        """POST inserts, PUT restamps."""
        self.assertEqual(route("POST", "/api/v1/crud/a/b/c/data"), Route("write", data.insert, ("a", "b", "c")))
        self.assertEqual(route("PUT", "/api/v1/crud/a/b/c/data"), Route("write", data.insert, ("a", "b", "c"), True))
        self.assertEqual(route("HEAD", "/api/v1/crud/a/b/c/data"), route("GET", "/api/v1/crud/a/b/c/data"))

    def test_beside(self) -> None:
        """What is not below the API: the pages for logging in; and feeds, whose answers say where the server is."""
        for path, handler in (
            ("/login", sessions.login_page),
            ("/logout", sessions.logout_page),
            ("/", sessions.start_page),
        ):
            found = route("GET", path)
            assert isinstance(found, Route)
            self.assertEqual(found.handler, handler)
        found = route("GET", "/api/v1/feed/a/b/c.atom")
        assert isinstance(found, Route)
        self.assertEqual((found.handler, found.names, found.tells_site), (atom.feed, ("a", "b", "c.atom"), True))
        self.assertEqual(route("GET", "/login/"), Redirect("/login"))

    def test_allowed(self) -> None:
        """Which verbs a path has; of one that leads nowhere, all."""
        for path, verbs in (
            ("/api/v1/crud/a/b/c/data", "GET, POST, PUT, HEAD, OPTIONS"),
            ("/api/v1/crud/a/", "GET, POST, PUT, DELETE, HEAD, OPTIONS"),
            ("/api/v1/query/merge", "POST, OPTIONS"),
            ("/login", "GET, HEAD, OPTIONS"),
            ("/nosuch", "GET, POST, PUT, DELETE, HEAD, OPTIONS"),
            ("*", "GET, POST, PUT, DELETE, HEAD, OPTIONS"),
        ):
            with self.subTest(path):
                self.assertEqual(allowed(path), verbs)
        with self.assertRaises(Refusal) as caught:
            route("PUT", "/api/v1/query/merge")
        self.assertEqual(caught.exception.headers, {"Allow": "POST, OPTIONS"})

    def test_redirects(self) -> None:
        """The other spelling of a slash leads to the right one."""
        for path, query, location in (
            ("/api/v1/crud/a/", "", "/api/v1/crud/a"),
            ("/api/v1", "q=this", "/api/v1/?q=this"),
            ("/api/v1/crud", "q=ls", "/api/v1/crud/?q=ls"),
            ("/api/v1/crud//a", "", "/api/v1/crud/a"),
            ("//api/v1/meta/version/", "", "/api/v1/meta/version"),
            ("/api/v1/crud/%2E./x", "", "/api/v1/x"),
            ("/api/v1/crud/a%3Fb/", "", "/api/v1/crud/a%3Fb"),
        ):
            with self.subTest(path):
                self.assertEqual(route("GET", path, query), Redirect(location))

    def test_nowhere(self) -> None:
        """Unknown paths are 404, wrong verbs 405 with those that are possible."""
        for verb, path, status in (
            *(("GET", "/nosuch", 404), ("GET", "/api/v1/nosuch", 404), ("GET", "/api/v1/crud/a/b/c/downlink", 404)),
            *(("PATCH", "/api/v1/crud/a", 405), ("DELETE", "/api/v1/crud/a/b/c/data", 405)),
            *(("POST", "/api/v1/meta/version", 405), ("GET", "/api/v1/query/merge", 405), ("GET", "*", 404)),
        ):
            with self.subTest(path), self.assertRaises(Refusal) as caught:
                route(verb, path)
            self.assertEqual(caught.exception.status, status)

    @given(st.text(max_size=5), st.text(max_size=30))
    def test_never_anything_else(self, verb: str, path: str) -> None:
        """Whatever is asked for leads somewhere or is refused; a redirection leads to no other redirection."""
        try:
            found = route(verb, f"/api/v1/{path}")
            if isinstance(found, Redirect):
                self.assertNotIsInstance(route(verb, found.location), Redirect)
        except Refusal as refusal:
            self.assertIn(refusal.status, (404, 405))


class Kinds(Case):
    """Addresses as they are counted."""

    @given(st.text() | st.lists(st.text(max_size=5)).map(lambda names: "/api/v1/" + "/".join(names)))
    def test_few_kinds(self, path: str) -> None:
        """Whatever is asked for, the kinds stay few."""
        kind = kind_of(path)
        self.assertTrue(
            kind == "other" or kind == kind_of(kind) or kind == kind_of(f"/api/v1/{kind}") or kind == "root"
        )

    def test_kinds(self) -> None:
        """Addresses by what they are for."""
        for path, kind in (
            ("/api/v1/", "root"),
            ("/api/v1/crud/", "crud/"),
            ("/api/v1/crud/a", "crud/USER"),
            ("/api/v1/crud/a/b/c", "crud/USER/DEVICE/STREAM"),
            ("/api/v1/crud/a/b/c/d", "other"),
            ("/api/v1/query/merge", "query/merge"),
            ("/api/v1/feed/a/b/c", "feed/USER/DEVICE/STREAM"),
            ("/api/v1/feed/a/b/c.atom", "feed/USER/DEVICE/STREAM"),
            ("/api/v1/nonsense", "other"),
            ("/", "other"),
        ):
            with self.subTest(path):
                self.assertEqual(kind_of(path), kind)
