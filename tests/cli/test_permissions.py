"""``connectordb permissions``."""

from __future__ import annotations

from connectordb.server import default_permissions

from ..support.case import Case
from ..support.command_line import connectordb


class Permissions(Case):
    """Printing, writing and checking permission files."""

    def test_file(self) -> None:
        """The default is printed, or written to a file that is not there; a file is checked."""
        path = self.folder() / "permissions.json"
        self.assertEqual(connectordb("permissions").stdout, default_permissions())
        self.assertIn(str(path), connectordb("permissions", path).stdout)
        self.assertEqual(path.read_text(encoding="utf-8"), default_permissions())
        again = connectordb("permissions", path)
        self.assertEqual(again.returncode, 1)
        self.assertIn("File exists", again.stderr)
        self.assertIn("Nothing is wrong", connectordb("permissions", "--check", path).stdout)
        path.write_text('{"version": 1, "max_user": 5}')
        wrong = connectordb("permissions", "--check", path)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("line 1: max_user is not known; did you mean 'max_users'?", wrong.stderr)
