"""A daemon that is killed keeps its promises; one without a rule is found out."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from connectordb import ConnectorDB
from tests.support.nursery import Nursery
from tests.support.target import TargetCase

from .daemon import BROKEN
from .daemon_kills import FINDS_BROKEN, Setting, main, nursery, run

#: With what `test_command` has, every two choices occur together; there are eight.
SOME = [
    Setting("again", answers=True, keyed=True),
    Setting("skip", answers=True, keyed=False),
    Setting("skip", answers=False, keyed=True),
]


class KillTests(TargetCase):
    """``kill -9`` at each step of a command."""

    born: Nursery

    @classmethod
    def setUpClass(cls) -> None:
        """Have one place where all daemons are born: to have everything imported costs more than ten lives."""
        super().setUpClass()
        cls.born = nursery(Path(os.devnull))
        cls.addClassCleanup(cls.born.close)

    def kills(self, settings: list[Setting], broken: str = "") -> list[str]:
        """Kill one at each place; return what was wrong."""
        with contextlib.redirect_stdout(io.StringIO()), ConnectorDB(self.admin_key, url=self.url) as admin:
            return run(self.born, self.url, admin, settings, 1, self.folder(), broken)

    def test_promises(self) -> None:
        """What is acted on, acknowledged and recorded is what was promised, at every place and with every choice."""
        self.assertEqual(self.kills(SOME), [])

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
                self.assertNotEqual(self.kills([FINDS_BROKEN], rule), [])
