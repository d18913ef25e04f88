"""Reading, listing, changing and deleting."""

from __future__ import annotations

from connectordb.server.handlers import Refusal
from connectordb.server.handlers.crud import delete, list_users, read, update

from .case import HandlerCase

ADMIN = "root1/user"
NO_ACCESS = "Can't access this resource."


class Reading(HandlerCase):
    """Objects and lists."""

    def test_who_sees_what(self) -> None:
        """Hidden fields are left out; what is not there looks like what may not be seen."""
        self.assertEqual(
            self.value(read, "mara", who="bob/user"),
            {"name": "mara", "nickname": "", "description": "", "icon": "", "public": True},
        )
        self.assertIn("email", self.value(read, "mara"))
        for path, who in (
            ("bob", "mara/user"),
            ("nosuch", ADMIN),
            ("mara/nosuch", ADMIN),
            ("mara", "mara/lamp"),
            ("mara", ""),
        ):
            with self.subTest(path=path, who=who):
                self.refuses(404, NO_ACCESS, read, path, who=who)
        self.refuses(404, "The requested device was not found.", read, "mara/nosuch/x")
        self.refuses(404, NO_ACCESS, read, "mara/lamp/nosuch")

    def test_lists(self) -> None:
        """Lists show what the caller may see, by the first query that is known."""
        self.assertEqual([row["name"] for row in self.value(read, "mara", q="ls")], ["user", "meta", "lamp", "remote"])
        self.assertEqual(self.value(read, "mara", q="devices", who="bob/user"), [])
        self.assertEqual([row["name"] for row in self.value(read, "mara/lamp", q="streams")], ["light", "plain"])
        found = self.value(read, "mara", q="streams", query={"downlink": "true", "public": "True"})
        self.assertEqual([(row["device"], row["name"]) for row in found], [("lamp", "light")])
        self.assertEqual(self.value(read, "mara", q="streams", query={"public": "true"}), [])
        self.refuses(400, "Unrecognized query command.", read, "mara", q="bogus")
        self.refuses(404, NO_ACCESS, read, "bob", q="ls")
        self.assertEqual([row["name"] for row in self.value(list_users, who=ADMIN)], ["root1", "mara", "bob"])
        self.refuses(404, "You do not have permissions necessary to list users.", list_users)


class Changing(HandlerCase):
    """Updates and deletions."""

    def test_update(self) -> None:
        """An update changes what its body says, or nothing."""
        self.assertEqual(self.value(update, "mara/lamp", {"nickname": "L", "icon": "fa:tree"})["nickname"], "L")
        self.refuses(403, "Unrecognized field 'bogus'", update, "mara/lamp", {"nickname": "M", "bogus": 1})
        self.assertEqual(self.value(read, "mara/lamp")["nickname"], "L")
        self.refuses(403, "The requested stream was not found.", update, "mara/lamp/nosuch", {})
        self.refuses(403, NO_ACCESS, update, "mara", {"nickname": "x"}, who="bob/user")
        self.refuses(403, "User with this email or username already exists", update, "mara", {"email": "b@x"})

    def test_icons_of_streams(self) -> None:
        """The icon of a stream may become anything of the right length, as on a 0.3 server."""
        self.assertEqual(self.value(update, "mara/lamp/plain", {"icon": "!!!"})["icon"], "!!!")
        self.refuses(403, "illegal base64 data at input byte 0", update, "mara/lamp", {"icon": "!!!"})
        self.assertRaises(Refusal, self.ask, update, "mara/lamp/plain", {"icon": "A" * 5000})

    def test_body_is_no_object(self) -> None:
        """What the original takes for "no change" is refused."""
        for body in (b"", b"{bad", b"[]", b'"text"', b"null", b"5"):
            with self.subTest(body), self.assertRaisesRegex(Exception, ".") as caught:
                self.ask(update, "mara/lamp", body)
            self.assertEqual(getattr(caught.exception, "status", None), 400)

    def test_hidden_fields(self) -> None:
        """Who may not read a device's key is not told it by an update either."""
        self.assertEqual(self.value(update, "mara/lamp", {"nickname": "x"}, who="mara/remote")["apikey"], "")

    def test_keys(self) -> None:
        """An empty key asks for a new one; other changes leave it, and an empty one, alone."""
        self.assertEqual(self.value(update, "mara/lamp", {"nickname": "x"})["apikey"], "lamp-key")
        fresh = self.value(update, "mara/lamp", {"apikey": ""})["apikey"]
        self.assertRegex(fresh, "^[0-9a-f-]{36}$")
        self.assertEqual(self.value(update, "mara/meta", {"nickname": "x"})["apikey"], "")

    def test_password(self) -> None:
        """A password is hashed, and never empty."""
        self.value(update, "mara", {"password": "new"})
        found = self.read(lambda reader: reader.find(("mara",))).user
        assert found is not None
        self.assertEqual(found.password, "hash of new")
        self.refuses(403, "Incorrect Password", update, "mara", {"password": ""})

    def test_delete(self) -> None:
        """What is deleted is gone with all below it; devices that every user has stay."""
        self.refuses(403, "user device cannot be deleted", delete, "mara/user")
        self.refuses(403, "You do not have permissions necessary to delete this user.", delete, "mara")
        self.refuses(403, NO_ACCESS, delete, "mara/lamp", who="mara/remote")
        self.assertEqual(self.ask(delete, "mara/lamp", who="mara/lamp").body, b"ok")
        self.refuses(403, "The requested device was not found.", delete, "mara/lamp")
        self.ask(delete, "mara", who=ADMIN)
        self.refuses(403, "The requested user was not found.", delete, "mara", who=ADMIN)

    def test_delete_downlink(self) -> None:
        """Deleting a downlink empties it and keeps the stream; an empty one, too."""
        series = self.series("mara/lamp/light", downlink=True)
        self.write(lambda writer: writer.insert(series, [{"t": 1.0, "d": 1}], False))
        for _ in range(2):
            self.assertEqual(self.ask(delete, "mara/lamp/light", query={"downlink": "true"}).body, b"ok")
            self.assertEqual(self.stored("mara/lamp/light", downlink=True), [])
        self.assertEqual(self.value(read, "mara/lamp/light")["name"], "light")
