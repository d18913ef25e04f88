"""People who make a user for themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectordb.server.handlers.crud import read
from connectordb.server.handlers.join import join
from connectordb.server.rights.permissions import DEFAULT

from .case import HandlerCase

#: Anybody may join, as a guest.
OPEN = replace(
    DEFAULT,
    user_roles={
        **DEFAULT.user_roles,
        "nobody": replace(DEFAULT.user_roles["nobody"], may_join=True, join_role="guest"),
        "guest": replace(DEFAULT.user_roles["user"], levels=DEFAULT.user_roles["user"].levels),
    },
)
ADA = {"name": "ada", "email": "ada@x", "password": "pw"}


class Joining(HandlerCase):
    """``POST /join``."""

    def test_who_may(self) -> None:
        """Only where the role of whoever asks says so; the role's message says why not."""
        self.refuses(403, "You must be logged in to add users", join, body=ADA, who="")
        self.refuses(403, "You must be logged in as admin to add users", join, body=ADA)
        self.assertEqual(self.ask(join, body=ADA, who="root1/user").body, b"ok")

    def test_join(self) -> None:
        """The new user has the role that is due, whatever it asks for, its tree, and a session; it is private by default."""
        body = {**ADA, "Role": "admin", "devices": {"lamp": {}}, "streams": {"mood": {}}, "captcha": "ignored"}
        reply = self.ask(join, body=body, who="", permissions=OPEN)
        self.assertEqual(reply.body, b"ok")
        assert reply.session is not None and reply.session.caller is not None
        self.assertEqual(reply.session.caller.path, "ada/user")
        made = self.value(read, "ada", who="root1/user")
        self.assertEqual((made["role"], made["public"]), ("guest", False))
        rows = self.value(read, "ada", who="ada/user", q="streams", permissions=OPEN)
        self.assertEqual([row["name"] for row in rows], ["mood", "log"])
        self.ask(
            join, body={**ADA, "NAME": "eve", "name": None, "email": "e@x", "public": True}, who="", permissions=OPEN
        )
        self.assertTrue(self.value(read, "eve", who="root1/user")["public"])

    def test_invalid(self) -> None:
        """What is wrong with the new user is told as anywhere, but with another status."""
        bad_name = "Invalid Username, usernames may not contain / \\ ? or spaces"
        cases: tuple[tuple[Any, str], ...] = (
            (None, bad_name),
            ({}, bad_name),
            ({**ADA, "name": "1a"}, bad_name),
            ({**ADA, "name": "admin"}, "Username 'admin' not allowed"),
            ({**ADA, "name": "mara"}, "User with this email or username already exists"),
            ({**ADA, "email": "b@x"}, "User with this email or username already exists"),
            ({**ADA, "email": "nonsense"}, "Invalid Email Address"),
            ({"name": "ada", "email": "a@x"}, "Incorrect Password"),
            (
                {**ADA, "devices": {"1": {}}},
                "The provided name is not valid, it may not contain /, \\, space, ? or be blank",
            ),
            ({**ADA, "name": 5}, "Value of field 'name' must be a string"),
            ([], "a JSON object with the fields of the user was expected"),
            (b"", "unexpected end of JSON input"),
        )
        for body, message in cases:
            with self.subTest(str(body)):
                self.refuses(400, message, join, body=body, who="", permissions=OPEN)

    def test_no_room(self) -> None:
        """A server that is full takes nobody."""
        full = replace(OPEN, most_users=3)
        self.refuses(403, "The maximum number of users has been reached.", join, body=ADA, who="", permissions=full)
