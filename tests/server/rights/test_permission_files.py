"""Permission files: what they say, and what is said of those that make no sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectordb.exceptions import ConfigurationError
from connectordb.server.rights.accounts import Caller
from connectordb.server.rights.permission_files import load, parse
from connectordb.server.rights.permission_template import render
from connectordb.server.rights.permissions import DEFAULT, FIELD_SETS, FieldSet, Level, Limits
from connectordb.server.storage import Device, User

from ...support.case import Case


def default() -> dict[str, Any]:
    """Return the default permissions as the value of a file."""
    lines = render().partition("*/")[2].splitlines()
    value = json.loads("\n".join(line for line in lines if not line.strip().startswith("//")))
    assert isinstance(value, dict)
    return value


def changed(path: str, value: Any) -> str:
    """Return the default as the text of a file, a member changed; `...` takes it out."""
    file = at = default()
    *above, last = path.split(".")
    for key in above:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return json.dumps(file, indent=1)


class Reading(Case):
    """What is read."""

    def test_default(self) -> None:
        """The default as a file is the default, whatever keys are spelt like, with a byte order mark and without."""
        self.assertEqual(parse(render()), DEFAULT)
        self.assertEqual(parse(render().replace("can_", "CAN_").replace('"max_users"', '"Max_Users"')), DEFAULT)
        path = self.folder() / "permissions.json"
        path.write_text(render(), encoding="utf-8-sig")
        self.assertEqual(load(path), DEFAULT)

    def test_as_a_0_3_server_writes_it(self) -> None:
        """What differs in the file of a 0.3 server means the same: null, -1, keys that nothing reads, an empty schema."""
        file = default()
        file.update({"max_users": -1, "allowed_email_suffixes": None})
        for level in file["access_levels"].values():
            level["can_subscribe_to_stream"] = False
        for entry in file["rw_access"].values():
            entry["can_access_non_user_editable_devices"] = True
        file["user_roles"]["nobody"]["create_user_defaults"] = None
        self.assertEqual(parse(json.dumps(file)), DEFAULT)

    def test_everything_else(self) -> None:
        """Every other setting ends up where it belongs."""
        file = default()
        file.update({"max_users": 7, "allowed_email_suffixes": ["@x"], "disallow_names": ["bob"], "watch": False})
        file["rw_access"]["small"] = {"can_access_stream": True, "stream_icon": True, "can_access_stream_data": True}
        file["access_levels"]["small"] = {"can_list_users": True, "read_access": "small", "write_access": "none"}
        file["user_roles"]["guest"] = {
            **dict.fromkeys(("private_access_level", "public_access_level", "user_access_level"), "small"),
            "self_access_level": "full",
            "CanCountUsers": True,
            "join": True,
            "join_role": "guest",
            "max_devices": 3,
            "max_streams": 4,
            "max_device_size": 5,
            "max_stream_size": 6,
            "max_private_devices": 2,
            "create_stream_defaults": {"icon": "fa:x", "schema": '{"type": "number"}', "ephemeral": True},
        }
        read = parse(json.dumps(file))
        self.assertEqual((read.most_users, read.email_suffixes, read.watch), (7, ("@x",), False))
        self.assertEqual(read.reserved_names, {"bob"})
        small = FieldSet({"stream": frozenset(("icon",))}, data=True)
        self.assertEqual(read.levels["small"], Level(frozenset(("list users",)), small, FIELD_SETS["none"]))
        guest = read.user_roles["guest"]
        self.assertEqual(guest.levels, {"private": "small", "public": "small", "own": "small", "self": "full"})
        self.assertEqual((guest.counts, guest.may_join, guest.join_role), ({"users"}, True, "guest"))
        self.assertFalse(guest.may_be_private)
        self.assertEqual(guest.limits, Limits(3, 2, 4, 5, 6))
        self.assertEqual(
            guest.defaults, {"stream": {"icon": "fa:x", "schema": '{"type": "number"}', "ephemeral": True}}
        )


class Faults(Case):
    """What makes no sense is told with its line, its key, and what was expected."""

    def test_faults(self) -> None:
        """One fault of each kind."""
        for path, value, message in (
            ("version", 2, "the version must be 1; it is 2"),
            ("version", ..., "the version must be 1; there is none"),
            ("max_user", 5, "max_user is not known; did you mean 'max_users'?"),
            ("max_users", "5", "max_users is '5'; expected an integer"),
            ("max_users", 5.5, "max_users is 5.5; expected an integer"),
            ("max_users", True, "max_users is true; expected an integer"),
            ("watch", 1, "watch is 1; expected true or false"),
            ("disallow_names", ["a", 5], "disallow_names has 5 in it; expected texts"),
            ("user_roles", [], "user_roles is a list; expected an object"),
            ("user_roles.nobody", ..., "user_roles has no 'nobody', which there must be"),
            ("device_roles.none", ..., "device_roles has no 'none', which there must be"),
            ("device_roles.user", ..., "device_roles has no 'user', which there must be"),
            ("user_roles.user", ..., "user_roles.nobody.join_role is 'user'; expected one of user_roles: there are"),
            (
                "user_roles.user.join_role",
                "usre",
                "user_roles.user.join_role is 'usre'; expected one of user_roles: did",
            ),
            (
                "user_roles.user.self_access_level",
                "userslef",
                "user_roles.user.self_access_level is 'userslef'; expected one of access_levels: did you mean 'userself'?",
            ),
            ("device_roles.none.self_access_level", ..., "device_roles.none has no self_access_level; expected one of"),
            (
                "access_levels.userself.read_access",
                "x",
                "read_access is 'x'; expected one of rw_access: there are none, ",
            ),
            ("access_levels.userself.write_access", ..., "access_levels.userself has no write_access; expected"),
            ("access_levels.userself.can_list_user", True, "is not known; did you mean 'can_list_users'?"),
            ("access_levels.full", {}, "access_levels.full is built in"),
            ("rw_access.none", {}, "rw_access.none is built in"),
            ("rw_access.selfread.user_name", "yes", "rw_access.selfread.user_name is 'yes'; expected true or false"),
            ("user_roles.admin.create_user_defaults.role", "x", "role is 'x'; expected one of user_roles"),
            ("user_roles.admin.create_device_defaults.role", "x", "role is 'x'; expected one of device_roles"),
            ("user_roles.admin.create_device_defaults.icon", "!", "icon will not do: illegal base64"),
            ("user_roles.admin.create_stream_defaults.schema", "{", "schema will not do: The provided schema is not"),
            ("user_roles.admin.create_stream_defaults.apikey", "x", "create_stream_defaults.apikey is not known"),
        ):
            with self.subTest(path=path, value=value):
                text = changed(path, value)
                with self.assertRaises(ConfigurationError) as caught:
                    parse(text, "my.json")
                told = str(caught.exception)
                self.assertIn(message, told)
                where = told.partition(": ")[0]
                self.assertRegex(where, r"^my\.json, line \d+$")
                if value is not ... and not isinstance(value, (dict, list)):
                    line = text.splitlines()[int(where.rpartition(" ")[2]) - 1]
                    self.assertTrue(path == "version" or f'"{path.rpartition(".")[2]}"' in line, line)

    def test_files(self) -> None:
        """A file that cannot be read, is no text, or no JSON is refused, too."""
        folder = self.folder()
        (folder / "binary").write_bytes(b"\xff\xfe")
        (folder / "open").write_text("{\n/* no end")
        (folder / "list").write_text("[]")
        for name, message in (
            ("absent", "No such file"),
            ("binary", "no UTF-8 text"),
            ("open", "line 2: this is no JSON: a comment begins that does not end"),
            ("list", "line 1: the file is a list; expected an object"),
        ):
            with self.subTest(name), self.assertRaises(ConfigurationError) as caught:
                load(folder / name)
            self.assertIn(message, str(caught.exception))


class Example(Case):
    """The file that the documentation shows."""

    def test_example(self) -> None:
        """It reads, and says what its comments say."""
        tables = load(Path(__file__).parents[3] / "docs" / "howto" / "permissions.json")
        member = User(1, "mara", "", "", "", "", "member", False, "")
        other = User(2, "bob", "", "", "", "", "member", True, "")
        person = Caller(member, Device(1, 1, "user", "", "", "", "", True, False, "user", True, True))
        lamp = Device(2, 1, "lamp", "", "", "", "", True, False, "", True, True)
        self.assertEqual(tables.access(person, member, lamp).write.data, False)
        self.assertTrue(tables.access(person, member, lamp).write.downlink)
        self.assertEqual(tables.access(person, other).write, FieldSet())
        self.assertNotIn("email", tables.access(person, other).read.fields["user"])
        self.assertEqual(tables.access(Caller(member, lamp), member), Level())
        self.assertTrue(tables.user_role(None).may_join)
        self.assertEqual(tables.user_role(member).limits.devices, 12)
