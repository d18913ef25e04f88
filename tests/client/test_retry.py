"""What may be sent again."""

from __future__ import annotations

import unittest

from connectordb.client.retry import Fate, Verdict, judge


class Table(unittest.TestCase):
    """The table in the module's docstring."""

    def test_table(self) -> None:
        """Only a read whose connection broke is sent again; of an insert the outcome is unknown."""
        for method, inserts, unsent, broken, silent in (
            ("GET", 0, Verdict.TELL, Verdict.AGAIN, Verdict.TELL),
            ("POST", 3, Verdict.TELL, Verdict.UNKNOWN, Verdict.UNKNOWN),
            ("PUT", 1, Verdict.TELL, Verdict.UNKNOWN, Verdict.UNKNOWN),
            ("POST", 0, Verdict.TELL, Verdict.TELL, Verdict.TELL),
            ("PUT", 0, Verdict.TELL, Verdict.TELL, Verdict.TELL),
            ("DELETE", 0, Verdict.TELL, Verdict.TELL, Verdict.TELL),
        ):
            for fate, wanted in ((Fate.UNSENT, unsent), (Fate.BROKEN, broken), (Fate.SILENT, silent)):
                with self.subTest(method=method, inserts=inserts, fate=fate):
                    self.assertIs(judge(method, inserts, fate, 1), wanted)

    def test_once(self) -> None:
        """It is sent again once."""
        self.assertIs(judge("GET", 0, Fate.BROKEN, 2), Verdict.TELL)
