"""``save`` and ``load``."""

from __future__ import annotations

import json
from unittest import mock

from connectordb import ConnectionFailed, ConnectorDB

from ..support.command_line import here
from ..support.target import new_name
from .test_tree import TreeCase


class Saves(TreeCase):
    """To a folder and back."""

    def setUp(self) -> None:
        super().setUp()
        self.name = new_name()
        with ConnectorDB() as cdb:
            cdb[self.name].create({"type": "number"})
            cdb[self.name].insert_array([{"t": number, "d": number} for number in range(1, 1201)])

    def test_round(self) -> None:
        """A stream goes to a folder and comes back; both say what they did."""
        folder = self.folder() / "saved"
        self.assertEqual(self.ran("save", f"mara/user/{self.name}", str(folder)), f"1 stream, 1,200 points: {folder}\n")
        self.assertEqual(len((folder / "data.json").read_text().splitlines()), 1200)
        self.assertEqual(self.ran("load", str(folder)), "Nothing new; 1,200 points were there already.\n")
        self.ran("rm", "-y", f"mara/user/{self.name}")
        self.assertEqual(self.ran("load", str(folder)), "1 stream, 1,200 points.\n")
        loaded = self.json("load", str(folder), "mara/room", "--json")
        self.assertEqual(loaded, {"users": 0, "devices": 0, "streams": 1, "points": 1200, "present": 0, "notes": []})
        other = self.folder() / "other"
        saved = self.json("save", "mara/room", str(other), "--json")
        expected = {"devices": 1, "streams": 1, "points": 1200, "kept": 0, "directory": str(other)}
        self.assertEqual(saved, expected)

    def test_user(self) -> None:
        """An administrator loads users, with passwords from a file or a pipe."""
        root = self.folder() / "root"
        self.ran("save", "mara/", str(root))
        file = root / "mara" / "user.json"
        fields = json.loads(file.read_text())
        file.write_text(json.dumps({**fields, "name": "tom", "email": "tom@example.org"}))
        (root / "mara").rename(root / "tom")
        for device in ("user", "meta", "room"):
            file = root / "tom" / device / "device.json"
            file.write_text(json.dumps({**json.loads(file.read_text()), "apikey": ""}))
        for text, status, why in (
            ("[]", 2, "expected an object"),
            ("{", 2, "no JSON"),
            ("{}", 1, "no password for the user 'tom'"),
        ):
            with self.subTest(text):
                self.assertIn(why, self.ran("load", str(root), "--passwords", "-", stdin=text, status=status))
        self.assertIn("1 user, ", self.ran("load", str(root), "--passwords", "-", stdin='{"tom": "word"}'))
        with ConnectorDB("tom", "word", url=self.url) as cdb:
            self.assertEqual(len(cdb[self.name]), 1200)
            self.ran("rm", "-yr", "tom/")
        self.assertIn("Note: the password of tom is 'tom' now", self.ran("load", str(root)))
        self.ran("rm", "-yr", "tom/")

    def test_cut_off(self) -> None:
        """What is cut off says how it goes on."""
        folder = self.folder() / "saved"
        for error, status in ((ConnectionFailed("away"), 1), (KeyboardInterrupt(), 130), (SystemExit(143), 143)):
            with self.subTest(error), mock.patch("connectordb.cli.saving.save_folder", side_effect=error):
                self.assertIn(
                    "again, and it continues where it was", self.ran("save", "mara/", str(folder), status=status)
                )

    def test_mistakes(self) -> None:
        """What cannot be saved or loaded is told in a line."""
        folder = self.folder()
        (folder / "mine").write_text("precious")
        for arguments, status, why in (
            (("save", "mara/none", str(folder / "x")), 1, "404"),
            (("save", "mara/room", str(folder)), 1, "is there already"),
            (("load", str(folder)), 1, "no whole export"),
            (("load", str(folder / "none")), 2, "does not exist"),
            (("load", str(folder), "mara/user/" + self.name), 2, "nothing goes below it"),
        ):
            with self.subTest(arguments):
                done = here(*arguments)
                self.assertEqual((done.returncode, done.stdout), (status, ""))
                self.assertIn(why, done.stderr)
