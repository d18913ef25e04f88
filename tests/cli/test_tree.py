"""``ls``, ``info``, ``new``, ``set``, ``rm``."""

from __future__ import annotations

import json

from connectordb import ConnectorDB

from ..support.command_line import connectordb
from .test_login import LoginCase


class TreeCase(LoginCase):
    """Logged in as mara, with a device of her own."""

    def setUp(self) -> None:
        super().setUp()
        self.login()
        self.ran("new", "mara/room")
        self.addCleanup(self.ran, "rm", "-yr", "mara/room")

    def json(self, *arguments: str) -> object:
        """Return what a command prints as JSON."""
        return json.loads(self.ran(*arguments))


class Tree(TreeCase):
    """What is there, and how it comes and goes."""

    def test_streams(self) -> None:
        """A stream is made with its properties, listed, changed, told of and deleted."""
        self.ran("new", "mara/room/lamp", 'schema={"type": "boolean"}', "downlink=true", "nickname=The lamp")
        self.assertEqual(self.ran("ls", "mara/room"), "lamp\n")
        self.assertRegex(self.ran("ls", "-l", "mara/room"), r"^lamp  0  boolean, downlink  The lamp\n$")
        self.ran("set", "mara/room/lamp", "description=On the desk", "nickname=123x")
        found = self.json("info", "mara/room/lamp", "--json")
        assert isinstance(found, dict)
        self.assertEqual(
            [found[name] for name in ("path", "nickname", "description", "schema", "length", "newest")],
            ["mara/room/lamp", "123x", "On the desk", {"type": "boolean"}, 0, None],
        )
        self.ran("rm", "--yes", "mara/room/lamp")
        self.assertEqual(self.ran("ls", "mara/room"), "")

    def test_devices_and_users(self) -> None:
        """Users have devices; without a path it is one's own; keys are shown to who asks."""
        self.assertIn("room", self.ran("ls", "mara").split())
        self.assertIn("mara", self.ran("ls", "/").split())
        self.assertIn("path", self.ran("info"))
        shown = self.json("ls", "mara", "--json", "-l")
        assert isinstance(shown, list)
        self.assertEqual({row.get("apikey") for row in shown} - {None, "(shown with --apikey)"}, set())
        with ConnectorDB() as cdb:
            key = cdb("mara/room").apikey
        found = json.loads(connectordb("info", "mara/room", "--apikey", "--json").stdout)
        self.assertEqual(found["apikey"], key)

    def test_names_alone(self) -> None:
        """A name alone is a stream of one's own, made, changed, told of, filled, saved and deleted; to `ls` alone it is a user."""
        self.ran("new", "weight", 'schema={"type": "number"}')
        self.ran("insert", "weight", "71")
        self.ran("set", "weight", "nickname=W")
        found = self.json("info", "weight", "--json")
        assert isinstance(found, dict)
        self.assertEqual((found["path"], found["nickname"], found["length"]), ("mara/user/weight", "W", 1))
        self.assertIn("1 stream, 1 point", self.ran("save", "weight", str(self.folder() / "new")))
        self.assertIn("stream of your own: connectordb info weight", self.ran("ls", "weight", status=1))
        self.ran("rm", "weight", "-y")
        self.assertEqual(self.ran("ls"), "")

    def test_user_by_name_alone(self) -> None:
        """No command takes a name alone for a user: an administrator's `rm mara` deletes none, and how one is written is told."""
        for typed in (
            ("rm", "-y", "mara"), ("info", "mara"), ("set", "mara", "nickname=N"), ("save", "mara", "x"), ("load", ".", "mara"),
            ("cat", "mara"), ("insert", "mara", "1"), ("tail", "mara"), ("plot", "mara"), ("merge", "mara"),
            ("dataset", "--x", "mara", "mara"),
        ):  # fmt: skip
            with self.subTest(typed[0]):
                told = self.ran(*typed, status=1)
                self.assertIn("no stream 'mara/user/mara'", told)
                self.assertIn("a user is written 'mara/'", told)
        self.ran("set", "mara/", "nickname=Mara")
        found = self.json("info", "mara/", "--json")
        assert isinstance(found, dict)
        self.assertEqual((found["path"], found["nickname"]), ("mara", "Mara"))

    def test_mistakes(self) -> None:
        """What cannot be done is said in a line, with a status, and nothing is changed."""
        for arguments, status, why in (
            (("ls", "mara/room/lamp"), 2, "nothing is below it"),
            (("info", "mara/room/none"), 1, "404"),
            (("new", "bob/"), 2, "connectordb user"),
            (("new", "mara/room/x", "schema"), 2, "NAME=VALUE"),
            (
                ("new", "mara/room/x", "--schema", "{}"),
                2,
                """'--schema': expected NAME=VALUE, as schema='{"type": "number"}'""",
            ),
            (
                ("new", "mara/none/x"),
                1,
                "); connectordb ls mara shows what is there, connectordb new mara/none makes it",
            ),
            (("info", "mara/room/none"), 1, "); connectordb ls mara/room shows what is there\n"),
            (("set", "none/", "nickname=N"), 1, "); connectordb ls / shows what is there\n"),
            (("new", "mara/room/x", "nothing=1"), 1, "nothing"),
            (("new", "mara/room/x", 'schema={"type": 5}'), 1, "Error: schema['type']: 5 is not valid"),
            (("set", "mara/room/lamp", 'schema={"pattern": "("}'), 1, "Error: schema: '(' is no regular expression"),
            (("rm", "mara/room"), 2, "--yes"),
            (("rm", "-y", "mara/room/"), 2, "mara/room is a device: give --recursive"),
            (("rm", "mara/none", "-y"), 1, "404"),
            (
                ("ls", "nobody"),
                1,
                "no user 'nobody', or none that you may see; for a stream of your own: connectordb info",
            ),
            (("load", ".", "mara/room/lamp"), 2, "nothing goes below it"),
            (("ls", "a/b/c/d/e"), 1, "a/b/c/d/e"),
            (("info", "--profile", "none"), 1, "none"),
        ):
            with self.subTest(arguments):
                self.assertIn(why, self.ran(*arguments, status=status))
        self.assertIn("room", self.ran("ls", "mara").split())
