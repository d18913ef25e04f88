"""What may stand where, and what is told of what may not."""

from __future__ import annotations

import unittest

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script
from connectordb.pipescript.limits import Limits


class Mistakes(unittest.TestCase):
    """What is told of a script that is well-formed and cannot be compiled: the original's reason, and where."""

    def test_reasons_and_places(self) -> None:
        """The caret (here ^ behind the script) stands below what is at fault."""
        for text, caret, reason in (
            ("if $ > 5 | maen", 11, "Transform maen not found"),
            ("sum(1, 2)", 4, "2 arguments were passed to 'sum', which only accepts 0"),
            ("top(1, $, $ + 1)", 10, "3 arguments were passed to 'top', which only accepts 2"),
            ("1 + map($)", 4, "Argument 2 of transform 'map' is required (got 1 args)."),
            ("remember(first, if $)", 16, "Argument 1 of transform 'if' is required (got 0 args)."),
            ("remember(first, sum $)", 20, "syntax error"),
            ("remember(first, if($))", 16, "Argument 2 of transform 'remember' must be OneToOne"),
            ("1 + ttrue", 4, "All transform arguments must be OneToOne"),
            ("not if($)", 4, "All transform arguments must be OneToOne"),
            ("{'a': 1, 'b': ttrue}", 14, "All transforms in object must be one-to-one"),
            ("{'a': next}", 6, "All transforms in object must not peek"),
            ("{'a': 1, 'a': 2}", 14, "Key a found multiple times in json object"),
            ("distance(1, $)", 12, "Argument 2 of transform 'distance' must be a constant."),
            ("5 | $", 4, "GetConstant was called on a non-constant Script"),
            ("ifelse($, $, last)", 13, "ifelse cannot be used with transforms that peek."),
            ("map($, next)", 7, "Map cannot be used with transforms that peek."),
            ("imap($, last)", 8, "Imap cannot be used with transforms that peek."),
            ("iwhile($, last)", 10, "iwhile cannot be used with transforms that peek."),
            ("while($, sum:last)", 9, "while cannot be used with transforms that peek."),
            ("$ | next(0)", 9, "next must look at least one datapoint forward"),
            ("next(101)", 5, "next cannot look more than 100 datapoints forward"),
            ("next(1.5)", 5, "Could not convert '1.5' to Int"),
            ("bucket('wide')", 7, "Could not convert 'wide' to Float"),
            ("weekday('Mars')", 8, "unknown time zone Mars"),
            ("$(1 + 'a')", 2, "Failed to perform algebraic operation: couldn't convert to float."),
        ):
            with self.subTest(text):
                with self.assertRaises(PipeScriptError) as caught:
                    Script(text)
                error = caught.exception
                self.assertEqual((error.reason, error.position, error.script), (reason, caret, text))
                self.assertTrue(str(error).endswith(f"    {text}\n    {' ' * caret}^"))

    def test_near_names(self) -> None:
        """Somebody who misspells a name is told what it may have been."""
        for text, near in (("avarage", None), ("maen", "mean"), ("week_day", "weekday"), ("if_else(1,2)", "ifelse")):
            with self.subTest(text), self.assertRaises(PipeScriptError) as caught:
                Script(text)
            if near is None:
                self.assertEqual(caught.exception.hint, "")
            else:
                self.assertIn(f"did you mean {near}", str(caught.exception))

    def test_what_gives_fewer_results_than_points(self) -> None:
        """Is refused where a result is needed for each, whatever the original declares."""
        for text in ("1 + while($, sum)", "remember(while($, sum))", "-while($, sum)", "{'a': while($, sum)}"):
            with self.subTest(text), self.assertRaisesRegex(PipeScriptError, "while does not give one result"):
                Script(text)
        for text in ("map($, while($, sum))", "ifelse(next + 1, $, next + 1)"):
            with self.subTest(text), self.assertRaisesRegex(PipeScriptError, "peek"):
                Script(text)

    def test_nesting(self) -> None:
        """What waits for each other is counted, what is done one after the other is not."""
        for piece in (" | next", " | last", " | map($, $)", " + next", " | if last"):
            with self.subTest(piece), self.assertRaisesRegex(PipeScriptError, "nested more than 100 levels"):
                Script("$" + piece * 150)
        for piece in (" + 1", " | $ + 1", ":$", " | ifelse($ > 0, $ + 1)", " and true"):
            with self.subTest(piece):
                self.assertEqual(len(list(Script("$" + piece * 1200)([{"t": 1, "d": 1}]))), 1)

    def test_as_deep_as_allowed(self) -> None:
        """A script at the bound runs."""
        for begin, middle, end in (
            ("apply(", "$", ")"),
            ("ifelse($, ", "$", ")"),
            ("imap($, ", "$", ")"),
            ("", "$", " | next"),
        ):
            text = begin * 45 + middle + end * 45
            with self.subTest(text[:20]):
                try:
                    list(Script(text, limits=Limits(nesting=100))([{"t": t, "d": 1} for t in range(3)]))
                except PipeScriptError as error:
                    self.assertIn("object", error.reason)
