"""Creating users, devices and streams."""

from __future__ import annotations

from connectordb.server.config import Limits
from connectordb.server.handlers import HashWanted, Request
from connectordb.server.handlers.create import create
from connectordb.server.handlers.crud import read

from .case import NOW, HandlerCase

ADMIN = "root1/user"
BOB = {"email": "new@x", "password": "pw"}


class Creating(HandlerCase):
    """One object or a tree."""

    def test_a_tree(self) -> None:
        """A user comes with all that its body says is below it, and with its log."""
        body = {**BOB, "streams": {"mood": {}}, "devices": {"lamp": {"streams": {"light": {"downlink": True}}}}}
        made = self.value(create, "ada", body, who=ADMIN)
        self.assertEqual((made["name"], made["role"], made["public"]), ("ada", "user", True))
        self.assertNotIn("password", made)
        rows = self.value(read, "ada", who=ADMIN, q="streams")
        self.assertEqual(
            [(row["device"], row["name"]) for row in rows], [("user", "mood"), ("lamp", "light"), ("meta", "log")]
        )
        found = self.read(lambda reader: reader.find(("ada",))).user
        assert found is not None
        self.assertEqual(found.password, "hash of pw")

    def test_all_or_nothing(self) -> None:
        """If a part will not do nothing is made."""
        for body, message in (
            ({"devices": {"user": {}}}, 'user device is created by default. Set its streams in "streams" property'),
            ({"devices": {"1": {}}}, "The provided name is not valid, it may not contain /, \\, space, ? or be blank"),
            ({"streams": {"s": {"schema": "x"}}}, "The provided schema is not a valid JSONSchema"),
            ({"devices": {"a": {"apikey": "lamp-key"}}}, "Device with this name already exists"),
        ):
            with self.subTest(message):
                self.refuses(403, message, create, "ada", {**BOB, **body}, who=ADMIN)
                self.assertIsNone(self.read(lambda reader: reader.find(("ada",))).user)

    def test_how_many(self) -> None:
        """A request makes so many devices and streams and no more, wherever in the tree they are."""
        limits, streams = Limits(tree_objects=4), {f"s{number}": {} for number in range(4)}
        text = "At most 4 devices and streams can be made at once; make the others by themselves."
        for path, body in (
            ("ada", {**BOB, "devices": {f"d{number}": {} for number in range(5)}}),
            ("ada", {**BOB, "devices": {"lamp": {"streams": streams}}}),
            ("ada", {**BOB, "streams": {**streams, "more": {}}}),
            ("mara/more", {"streams": {**streams, "more": {}}}),
        ):
            with self.subTest(path):
                self.refuses(403, text, create, path, body, who=ADMIN, limits=limits)
        self.ask(create, "mara/more", {"streams": streams}, who=ADMIN, limits=limits)

    def test_null_below(self) -> None:
        """A null where an object belongs is refused."""
        self.refuses(
            400,
            "the stream 's' is null; an object was expected",
            create,
            "ada",
            {**BOB, "streams": {"s": None}},
            who=ADMIN,
        )

    def test_taken(self) -> None:
        """A name, an address or a key that somebody has is refused."""
        taken = "User with this email or username already exists"
        self.refuses(403, taken, create, "mara", BOB, who=ADMIN)
        self.refuses(403, taken, create, "ada", {**BOB, "email": "m@x"}, who=ADMIN)
        self.refuses(403, "Device with this name already exists", create, "mara/lamp", {})
        self.refuses(403, "Device with this name already exists", create, "mara/two", {"apikey": "lamp-key"})
        self.refuses(403, "Stream with this name already exists", create, "mara/lamp/light", {})

    def test_who_may(self) -> None:
        """Users are made by administrators; devices and streams in one's own tree."""
        self.refuses(403, "You do not have permissions necessary to create a user.", create, "ada", BOB)
        self.refuses(403, "Can't access this resource.", create, "bob/x", {})
        self.refuses(403, "Can't access this resource.", create, "mara/x", {}, who="mara/lamp")
        self.assertEqual(self.value(create, "mara/lamp/own", {}, who="mara/lamp")["name"], "own")
        self.refuses(403, "The requested user was not found.", create, "nosuch/x", {}, who=ADMIN)
        self.refuses(403, "The requested device was not found.", create, "mara/no/x", {})

    def test_names(self) -> None:
        """A name with a slash, a blank or a question mark is refused before anything else."""
        self.refuses(400, "The given name did not pass sanitation.", create, "mara/a b", b"nonsense")

    def test_privacy(self) -> None:
        """A private user makes no public devices, but may come with them."""
        body = {**BOB, "public": False, "devices": {"d": {"public": True}}}
        self.assertFalse(self.value(create, "ada", body, who=ADMIN)["public"])
        self.refuses(
            403, "Can't make private user have public device", create, "bob/x", {"public": True}, who="bob/user"
        )

    def test_hash_comes_last(self) -> None:
        """A hash, which is expensive, is asked for only when everything else is right."""
        self.refuses(403, "Incorrect Password", create, "ada", {"email": "new@x"}, who=ADMIN)
        request = Request(NOW, ("ada",), body=b'{"email":"new@x","password":"pw"}', caller=self.caller(ADMIN))
        with self.assertRaises(HashWanted):
            self.write(lambda writer: create(writer, request))
        self.assertIsNone(self.read(lambda reader: reader.find(("ada",))).user)
