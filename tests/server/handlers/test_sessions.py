"""Logging browsers in and out."""

from __future__ import annotations

from connectordb.server.handlers import Session, sessions
from connectordb.server.handlers.request import Kind
from connectordb.server.rights.accounts import LoginRefused

from .case import HandlerCase


class Sessions(HandlerCase):
    """What becomes of the cookie."""

    def test_login(self) -> None:
        """Whoever is somebody is logged in, and remembered unless he does not want to be."""
        lamp = self.caller("mara/lamp")
        for query, remember in (({}, True), ({"remember": "true"}, True), ({"remember": "false"}, False)):
            reply = self.ask(sessions.login, who="mara/lamp", query=query)
            self.assertEqual((reply.body, reply.session), (b"ok", Session(lamp, remember)))

    def test_nobody(self) -> None:
        """Nobody is not logged in."""
        with self.assertRaises(LoginRefused):
            self.ask(sessions.login, who="")
        self.assertIsNone(self.ask(sessions.login_page, who="").session)

    def test_logout(self) -> None:
        """Whoever asks is logged out."""
        self.assertEqual((sessions.logout().body, sessions.logout().session), (b"ok", Session(None)))

    def test_pages(self) -> None:
        """The pages do the same and lead on."""
        reply = self.ask(sessions.login_page, who="mara/lamp")
        self.assertEqual((reply.session, reply.location), (Session(self.caller("mara/lamp")), "/"))
        self.assertEqual((sessions.logout_page().session, sessions.logout_page().location), (Session(None), "/"))
        self.assertEqual(sessions.start_page().kind, Kind.HTML)
