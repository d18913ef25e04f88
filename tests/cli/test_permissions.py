"""``connectordb permissions``."""

from __future__ import annotations

import errno
import os
import subprocess
from unittest import mock

from connectordb.server import default_permissions

from ..support.case import Case
from ..support.command_line import here


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in this process; others show that commands run in one of their own."""
    return here("permissions", *arguments)


class Permissions(Case):
    """Printing, writing and checking permission files."""

    def test_write(self) -> None:
        """The default is printed, or written to a file that is not there."""
        path = self.folder() / "permissions.json"
        self.assertEqual(run().stdout, default_permissions())
        self.assertIn(str(path), run(path).stdout)
        self.assertEqual(path.read_text(encoding="utf-8"), default_permissions())
        again = run(path)
        self.assertEqual(again.returncode, 1)
        self.assertRegex(
            again.stderr, r"\AError: writing '.*permissions\.json': it exists already; give another name\n"
        )

    def test_full(self) -> None:
        """Where there is no space nothing is left, and the file is named."""
        path = self.folder() / "permissions.json"
        with mock.patch("os.fsync", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
            full = run(path)
        self.assertRegex(full.stderr, r"\AError: writing '.*permissions\.json': No space left on device\n\Z")
        self.assertEqual(list(path.parent.iterdir()), [])

    def test_check(self) -> None:
        """A file is right, or it is told what is wrong and where."""
        path = self.folder() / "permissions.json"
        path.write_text(default_permissions())
        self.assertIn("Nothing is wrong", run("--check", path).stdout)
        self.assertIn("takes no other file", run("--check", path, path).stderr)
        path.write_text('{"version": 1, "max_user": 5}')
        wrong = run("--check", path)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("line 1: max_user is not known; did you mean 'max_users'?", wrong.stderr)
