"""``connectordb permissions``."""

from __future__ import annotations

from click.testing import CliRunner, Result

from connectordb.cli.commands import commands
from connectordb.server import default_permissions

from ..support.case import Case


def run(*arguments: object) -> Result:
    """Run the command in this process; others show that commands run in one of their own."""
    return CliRunner().invoke(commands, ["permissions", *map(str, arguments)])


class Permissions(Case):
    """Printing, writing and checking permission files."""

    def test_write(self) -> None:
        """The default is printed, or written to a file that is not there."""
        path = self.folder() / "permissions.json"
        self.assertEqual(run().output, default_permissions())
        self.assertIn(str(path), run(path).output)
        self.assertEqual(path.read_text(encoding="utf-8"), default_permissions())
        again = run(path)
        self.assertEqual(again.exit_code, 1)
        self.assertIn("File exists", again.output)

    def test_check(self) -> None:
        """A file is right, or it is told what is wrong and where."""
        path = self.folder() / "permissions.json"
        path.write_text(default_permissions())
        self.assertIn("Nothing is wrong", run("--check", path).output)
        self.assertIn("takes no other file", run("--check", path, path).output)
        path.write_text('{"version": 1, "max_user": 5}')
        wrong = run("--check", path)
        self.assertEqual(wrong.exit_code, 1)
        self.assertIn("line 1: max_user is not known; did you mean 'max_users'?", wrong.output)
