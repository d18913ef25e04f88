"""A daemon that is killed keeps its promises; one without a rule is found out."""

from __future__ import annotations

import contextlib
import io

from connectordb import ConnectorDB
from tests.support.target import TargetCase

from .daemon import BROKEN
from .daemon_kills import FINDS_BROKEN, Setting, main, run

#: Every two choices occur together; the command has all eight.
SOME = [
    Setting("again", answers=True, keyed=True),
    Setting("skip", answers=True, keyed=False),
    Setting("again", answers=False, keyed=False),
    Setting("skip", answers=False, keyed=True),
]


class KillTests(TargetCase):
    """``kill -9`` at each step of a command."""

    def kills(self, settings: list[Setting], count: int, broken: str = "") -> list[str]:
        """Kill so many at each place; return what was wrong."""
        with contextlib.redirect_stdout(io.StringIO()), ConnectorDB(self.admin_key, url=self.url) as admin:
            return run(self.url, admin, settings, count, self.folder(), broken)

    def test_promises(self) -> None:
        """What is acted on, acknowledged and recorded is what was promised, at every place and with every choice."""
        self.assertEqual(self.kills(SOME, 1), [])

    def test_command(self) -> None:
        """The command runs the settings that it is asked for, and ends with a status."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertEqual(main(["--count", "1", "--setting", "on_crash=again, without", "--url", self.url]), 0)
        self.assertRegex(said.getvalue(), "on_crash=again, without names: 13 kills at 13 places, .*: 0 wrong")

    def test_broken(self) -> None:
        """A daemon that does without any of its rules is found."""
        for rule in BROKEN:
            with self.subTest(rule):
                self.assertNotEqual(self.kills([FINDS_BROKEN], 1, rule), [])
