"""A daemon that is killed keeps its promises; one without a rule is found out."""

from __future__ import annotations

import contextlib
import io

from connectordb import ConnectorDB
from tests.support.target import TargetCase

from .daemon import BROKEN
from .daemon_kills import SETTINGS, Setting, run


class KillTests(TargetCase):
    """``kill -9`` at each step of a command."""

    def kills(self, settings: list[Setting], count: int, broken: str = "") -> list[str]:
        """Kill so many at each place; return what was wrong."""
        with contextlib.redirect_stdout(io.StringIO()), ConnectorDB(self.admin_key, url=self.url) as admin:
            return run(self.url, admin, settings, count, self.folder(), broken)

    def test_promises(self) -> None:
        """What is acted on, acknowledged and recorded is what was promised, at every place and with every choice."""
        self.assertEqual(self.kills(SETTINGS, 1), [])

    def test_broken(self) -> None:
        """A daemon that does without any of its rules is found."""
        for rule in BROKEN:
            with self.subTest(rule):
                self.assertNotEqual(self.kills([Setting("skip", True, keyed=True)], 1, rule), [])
