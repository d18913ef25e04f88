"""Fields: types, defaults, values, visibility."""

from __future__ import annotations

import time
from dataclasses import replace

from connectordb.server.handlers import Refusal
from connectordb.server.handlers.fields import (
    check_changed_user,
    check_changes,
    check_name,
    check_new_user,
    read_fields,
    shown,
    with_defaults,
)
from connectordb.server.rights.permissions import DEFAULT, FIELDS, FieldSet
from connectordb.server.storage import Stream, User

from ...support.case import Case


class Creating(Case):
    """The body of a create."""

    def test_keys(self) -> None:
        """Keys match in any case, unknown ones and nulls are ignored, as is the name."""
        body = {"Email": "a@b", "bogus": 1, "name": "other", "nickname": None, "devices": {"d": {}}}
        self.assertEqual(read_fields("user", body), {"email": "a@b", "devices": {"d": {}}})
        self.assertEqual(read_fields("device", None), {})

    def test_wrong_types(self) -> None:
        """A value of the wrong type is refused, with what was expected."""
        for body in ([], "x", 5, {"public": "yes"}, {"nickname": 5}, {"devices": []}, {"streams": "x"}):
            with self.subTest(str(body)), self.assertRaises(Refusal) as caught:
                read_fields("user", body)
            self.assertEqual(caught.exception.status, 400)

    def test_defaults(self) -> None:
        """What is left out is filled in; a device within another create hides."""
        direct, nested = with_defaults("device", {}, DEFAULT.user_roles["user"]), with_defaults("device", {})
        self.assertTrue(direct["enabled"] and direct["visible"] and direct["user_editable"] and direct["apikey"])
        self.assertFalse(nested["enabled"] or nested["visible"] or nested["user_editable"])
        made = with_defaults("device", {"role": "reader"}, DEFAULT.user_roles["admin"])
        self.assertEqual(
            (made["role"], with_defaults("device", {}, DEFAULT.user_roles["admin"])["role"]), ("reader", "none")
        )


class Values(Case):
    """What values are allowed."""

    def refused(self, message: str, check: object, *arguments: object) -> None:
        """Check that *check* refuses."""
        with self.assertRaises(Refusal) as caught:
            check(*arguments)  # type: ignore[operator]
        self.assertIn(message, caught.exception.message)
        self.assertEqual(caught.exception.status, 403)

    def test_names(self) -> None:
        """Names of the wrong shape are refused, and of users the reserved ones."""
        self.assertEqual(check_name("device", "admin"), "admin")
        for name in ("", "1a", "a.b", "é", "a" * 30):
            self.refused("not valid", check_name, "device", name)

    def test_emails(self) -> None:
        """An address is anything that mail could carry."""
        for email, fine in (
            *(("a@b", True), ("A <a@b>", True), ("a.b+c@x.example", True), ('"a b"@c', True)),
            *(("", False), ("nonsense", False), ("@b", False), ("a@", False), ("a b@c", False), ("a@b@c", False)),
            *(
                ("a..b@c", False),
                (".a@c", False),
                ("a@b.", False),
                ('""@b', False),
                ("a@b\n", False),
                ("a@[::1]", False),
            ),
        ):
            fields = {"role": "user", "public": True, "email": email, "description": ""}
            with self.subTest(email):
                if fine:
                    check_new_user("mara", fields, DEFAULT)
                else:
                    self.refused("Invalid Email Address", check_new_user, "mara", fields, DEFAULT)

    def test_users(self) -> None:
        """A role must exist, and allow to hide; a name must be free for users."""
        fine = {"email": "a@b", "role": "user", "public": True}
        check_new_user("Admin", fine, DEFAULT)
        self.refused("Username 'admin' not allowed", check_new_user, "admin", fine, DEFAULT)
        self.refused("'x' does not exist", check_new_user, "mara", {**fine, "role": "x"}, DEFAULT)
        hiding = {**fine, "role": "nobody", "public": False}
        self.refused("Users with role 'nobody' can't be private.", check_new_user, "mara", hiding, DEFAULT)

    def test_changed_users(self) -> None:
        """Rules hold for what is changed; what was so before they came is left alone."""
        hidden = User(1, "mara", "", "m@old", "", "", "user", False, "")
        strict = replace(DEFAULT, email_suffixes=("@new",))
        check_changed_user(hidden, {"nickname": "M"}, strict)
        self.refused("Email 'x@old' not allowed", check_changed_user, hidden, {"email": "x@old"}, strict)
        self.refused("User can't be private.", check_changed_user, hidden, {"role": "nobody"}, DEFAULT)
        check_changed_user(hidden, {"role": "nobody", "public": True}, DEFAULT)


class Changing(Case):
    """The body of an update."""

    def test_checks(self) -> None:
        """A key must be known, may be written, and has a type; the name may be said but not changed."""
        all_fields = frozenset(FIELDS["device"])
        self.assertEqual(check_changes("device", {"name": "d", "role": ""}, all_fields, "d"), {"role": ""})
        for body, message in (
            ({"bogus": 1}, "Unrecognized field 'bogus'"),
            ({"Nickname": "x"}, "Unrecognized field 'Nickname'"),
            ({"enabled": None}, "Value of field 'enabled' must be a boolean"),
            ({"nickname": 7}, "Value of field 'nickname' must be a string"),
            ({"name": "x"}, "ConnectorDB does not support modification of device names"),
        ):
            with self.subTest(message), self.assertRaises(Refusal) as caught:
                check_changes("device", body, all_fields, "d")
            self.assertEqual(caught.exception.message, message)
        with self.assertRaises(Refusal) as caught:
            check_changes("device", {"role": 5}, all_fields - {"role"}, "d")
        self.assertEqual(caught.exception.message, "This device does not have permissions to write role")


class Showing(Case):
    """Who sees what."""

    ROW = Stream(1, 1, "s", "N", "", "", "{}", "", True, False)

    def test_hidden(self) -> None:
        """Hidden fields are left out or blanked, and an object out of reach is not there."""
        read = FieldSet({"stream": frozenset(("name",))})
        self.assertEqual(shown("stream", self.ROW, read), {"name": "s"})
        blank = shown("stream", self.ROW, read, blank=True)
        assert blank is not None
        self.assertEqual((len(blank), blank["nickname"], blank["ephemeral"]), (8, "", False))
        self.assertIsNone(shown("stream", self.ROW, FieldSet()))

    def test_long_texts(self) -> None:
        """What is almost an address takes no time."""
        begin = time.thread_time()
        with self.assertRaises(Refusal):
            check_new_user("mara", {"role": "user", "public": True, "email": " " * 100_000}, DEFAULT)
        self.assertLess(time.thread_time() - begin, 0.5)
