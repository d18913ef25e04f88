"""The scripts of an answer: bounded, and compiled when there is time."""

from __future__ import annotations

import unittest
from unittest import mock

from connectordb import pipescript
from connectordb.exceptions import PipeScriptError
from connectordb.server.config import Queries
from connectordb.server.handlers import Refusal
from connectordb.server.handlers.effort import TooMuch
from connectordb.server.handlers.scripts import Scripts


class Compiling(unittest.TestCase):
    """When, and what is refused."""

    def test_not_before_it_may_take_its_time(self) -> None:
        """What is added is only looked at later, in order, and once."""
        with mock.patch.object(pipescript, "Script", wraps=pipescript.Script) as compiled:
            made = Scripts(Queries())
            double = made.add("$ * 2")
            assert double is not None
            made.add("sum")
            self.assertIsNone(made.add(""))
            results = double(iter([{"t": 1.0, "d": 2.0}]))
            compiled.assert_not_called()
            made.compile()
            made.compile()
            self.assertEqual([call.args[0] for call in compiled.call_args_list], ["$ * 2", "sum"])
        self.assertEqual(list(results), [{"t": 1.0, "d": 4.0}])
        self.assertEqual(list(double.script([{"t": 1.0, "d": 3.0}])), [{"t": 1.0, "d": 6.0}])

    def test_no_scripts(self) -> None:
        """Are refused with their text, with the status that such an answer has."""
        for status in (403, 500):
            made = Scripts(Queries(), status)
            made.add("nosuch")
            with self.assertRaisesRegex(Refusal, "Script 'nosuch': Transform nosuch not found") as caught:
                made.compile()
            self.assertEqual(caught.exception.status, status)

    def test_too_long(self) -> None:
        """One that is too long is not repeated."""
        made = Scripts(Queries(script_characters=200, all_script_characters=10**6))
        made.add("$" + " + 1" * 100_000)
        with self.assertRaises(Refusal) as caught:
            made.compile()
        self.assertLess(len(caught.exception.message), 300)
        self.assertIn("too long; 200 are possible", caught.exception.message)

    def test_too_long_together(self) -> None:
        """However many there are: a compiled script takes a thousand times its characters."""
        made = Scripts(Queries(all_script_characters=100))
        made.add("$" + " + 1" * 20)
        with self.assertRaisesRegex(Refusal, "more than 100 characters together"):
            made.add("$" + " + 1" * 20)

    def test_time(self) -> None:
        """Compiling counts as computing."""
        made = Scripts(Queries(seconds=1e-9))
        made.add("$")
        with self.assertRaises(TooMuch), made.effort.spent():
            made.compile()

    def test_memory_is_shared(self) -> None:
        """Several scripts hold no more than one."""
        points = [{"t": 1.0, "d": "x" * 500}, {"t": 2.0, "d": "y" * 500}]
        for number, fits in ((1, True), (2, False)):
            made = Scripts(Queries(held_bytes=2000))
            pending = [made.add("if new") for _ in range(number)]
            made.compile()
            assert pending[0] is not None
            if fits:
                self.assertEqual(len(list(pending[0](points))), 2)
            else:
                with self.assertRaisesRegex(PipeScriptError, "maximum memory"):
                    list(pending[0](points))
