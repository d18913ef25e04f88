"""``connectordb permissions``."""

from __future__ import annotations

from click.testing import CliRunner

from connectordb.cli.permissions import permissions
from connectordb.server import default_permissions

from ..support.case import Case
from ..support.command_line import connectordb


class Permissions(Case):
    """Printing, writing and checking permission files."""

    def test_file(self) -> None:
        """The default is written to a file that is not there; one's own is checked."""
        path = self.folder() / "permissions.json"
        self.assertIn(str(path), connectordb("permissions", path).stdout)
        self.assertEqual(path.read_text(encoding="utf-8"), default_permissions())
        again = connectordb("permissions", path)
        self.assertEqual(again.returncode, 1)
        self.assertIn("File exists", again.stderr)
        path.write_text('{"version": 1, "max_user": 5}')
        wrong = connectordb("permissions", "--check", path)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("line 1: max_user is not known; did you mean 'max_users'?", wrong.stderr)

    def test_print(self) -> None:
        """Without a file the default is printed; it is right."""
        runner = CliRunner()
        printed = runner.invoke(permissions, []).output
        self.assertEqual(printed, default_permissions())
        path = self.folder() / "permissions.json"
        path.write_text(printed)
        self.assertIn("Nothing is wrong", runner.invoke(permissions, ["--check", str(path)]).output)
        self.assertIn("takes no other file", runner.invoke(permissions, ["--check", str(path), str(path)]).output)
