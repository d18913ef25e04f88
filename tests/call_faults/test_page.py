"""Tests of the page that the table is written to, and that the page in the documentation is not an old one."""

from __future__ import annotations

import unittest

from .calls import CALLS, KINDS
from .faults import FAULTS
from .page import PAGE, missing, page
from .trial import Result, meetings


class PageTests(unittest.TestCase):
    """A page has every fault, every kind of call, every call, and what is left out."""

    def setUp(self) -> None:
        results = [Result(meeting) for meeting in meetings(list(CALLS.values()), list(FAULTS.values()))]
        self.page = page(results, "nothing", 1.0)

    def test_what_is_written_is_complete(self) -> None:
        self.assertEqual(list(missing(self.page)), [])

    def test_a_fault_that_is_missing_is_noticed(self) -> None:
        self.assertEqual(list(missing(self.page.replace("--fault drip``", ""))), ["the fault drip"])

    def test_a_kind_of_call_that_is_missing_is_noticed(self) -> None:
        self.assertIn(f"refused: {KINDS['read']}", list(missing(self.page.replace(f"* - {KINDS['read']}", "* - ", 1))))

    def test_a_call_that_is_missing_is_noticed(self) -> None:
        self.assertEqual(
            list(missing(self.page.replace("``ConnectorDB.ping()``, ", ""))), [f"the list of: {KINDS['read']}"]
        )

    def test_the_documentation_has_it_as_it_is_now(self) -> None:
        self.assertEqual(
            list(missing(PAGE.read_text(encoding="utf-8"))),
            [],
            "docs/topics/faults.rst is an old one: python -m tests.call_faults --page writes it anew (some minutes; with --fault one section), or --lists its lists",
        )


if __name__ == "__main__":
    unittest.main()
