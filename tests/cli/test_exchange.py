"""``export`` and ``import``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from connectordb import ConnectorDB
from connectordb.server import Server
from connectordb.server.onlooker import onlooking

from ..support.command_line import connectordb, here
from ..support.server import DatabaseCase

ORIGINAL = Path(__file__).parent.parent / "server" / "exchange" / "original"


def ran(*arguments: object, status: int = 0) -> str:
    """Run a command in this process; return all that it said."""
    done = here(*arguments)
    assert done.returncode == status, done
    return done.stdout + done.stderr


def hashed(directory: Path, name: str) -> str:
    """Return what is stored of a user's password, while the server runs."""
    with onlooking(directory) as source:
        user = source.look(lambda reader: reader.find((name,))).user
        assert user is not None
        return user.password


class Moving(DatabaseCase):
    """A server moves from one folder to another by way of an export, and so does one of the original's."""

    def test_moved(self) -> None:
        """What a real 0.3 server exported is imported, served, exported while it is, and imported again."""
        top = self.folder()
        first, second, out = top / "first", top / "second", top / "out"
        self.assertIn("4 users, 10 devices, 14 streams, 636 points.\n", ran("import", first, ORIGINAL))
        with Server(first, port=0) as server, ConnectorDB("mara", "sesame-öffne dich", url=server.url) as cdb:
            self.assertEqual(cdb.user.nickname, "Mära Ünï 🌻")
            self.assertEqual(len(cdb("mara/lamp/large")), 600)
            cdb("mara/user/mood").insert(7)
            self.eventually(lambda: hashed(first, "mara").startswith("scrypt$"), "the hash replaced at the login")
            done = connectordb("export", first, out)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("4 users", done.stdout)
            self.assertIn("connectordb stop", ran("import", first, out, status=1))
        self.assertIn("1 user, ", ran("import", second, out, "--only", "mara"))
        self.assertRegex(
            ran("import", second, out, "--only", "mara"), r"Nothing new: .* \d+ points were there already\.\n"
        )
        mood = json.loads((out / "mara" / "user" / "mood" / "data.json").read_text())
        self.assertEqual([point["d"] for point in mood], [5, 7])
        self.assertEqual(json.loads((out / "mara" / "user.json").read_text())["password_scheme"], "scrypt")

    def test_errors(self) -> None:
        """What is wrong is told on standard error, and nothing is made."""
        top = self.folder()
        self.assertIn("no database folder", ran("export", top / "absent", top / "out", status=1))
        self.assertIn("no connectordb.json", ran("import", top / "db", top, status=1))
        self.assertEqual(list(top.iterdir()), [])

    def test_told(self) -> None:
        """What somebody should know is told beside what was done."""
        export = Path(shutil.copytree(ORIGINAL, self.folder() / "export"))
        (export / "ben" / "box" / "n" / "data.json").write_text('[{"t":2},{"t":1}]')
        self.assertIn("Note: ben/box/n: its points were not in order", ran("import", export.parent / "db", export))

    def test_help(self) -> None:
        """Both are commands with their names."""
        self.assertIn("import [OPTIONS] DIR EXPORT", ran("import", "--help"))
        self.assertIn("export [OPTIONS] DIR OUT", ran("export", "--help"))
