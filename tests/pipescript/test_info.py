"""What there is, told: held to what the original tells."""

from __future__ import annotations

import unittest

from connectordb.pipescript import TRANSFORMS, info

#: Transform → arguments (C constant, H run by the transform itself, ? optional, = with a default), flags of the original.
TOLD = """
$ C? 1s; alltrue 1; anytrue 1; append 1; apply H 1s; bottom -,H?= 1s; bucket C?=,C?= 1s; changed 1; contains C 1s; count 1;
d C? 1s; day C?= 1s; dayhour C?= 1s; del C 1s; distance C,C 1s; domain 1s; dt 1; filter H 1; first 1; hour C?= 1s; i 1; if - 0;
ifelse -,H,H?= 1; imap -,H 1; iwhile -,H 1; last 1p; length 1s; map -,H 0; max -?= 1; mean 1; min -?= 1; month C?= 1s;
monthday C?= 1s; new 1; next C?= 1p; percent 1s; rand 1; reduce H 1; regex C 1s; remember -,-?= 1; sentiment 1s; set C,- 1s;
sum 1; t 1s; tfalse 0; top C,H?= 1s; tshift C 1s; ttrue 0; wc 1s; week C?= 1s; weekday C?= 1s; while -,H 1; year C?= 1s;
yearday C?= 1s; yearmonth C?= 1s
"""


class Told(unittest.TestCase):
    """Names, arguments and flags are the original's."""

    def test_transforms(self) -> None:
        """All of them, with their arguments."""
        told = info.transforms()
        expected = [line.split() for line in TOLD.split(";")]
        self.assertEqual([name for name, *_ in expected], list(told))
        for name, *args, flags in expected:
            with self.subTest(name):
                known = told[name]
                found = [
                    ("C" if arg["constant"] else "H" if arg["hijacked"] else "-")
                    + "?" * arg["optional"]
                    + "=" * ("default" in arg)
                    for arg in known["args"] or ()
                ]
                self.assertEqual(",".join(found), "".join(args))
                self.assertEqual(f"{known['one_to_one']:d}{'s' * known['stateless']}{'p' * known['peek']}", flags)
                self.assertEqual(known["args"] is None, not TRANSFORMS[name].args)

    def test_defaults(self) -> None:
        """Values, and nothing where it is a script."""
        told = info.transforms()
        self.assertEqual([arg["default"] for arg in told["bucket"]["args"]], [10, 0])
        self.assertEqual(told["next"]["args"][0]["default"], 1)
        self.assertEqual(told["weekday"]["args"][0]["default"], "Local")
        self.assertIsNone(told["max"]["args"][0]["default"])

    def test_all_is_described(self) -> None:
        """In a sentence, and with an example."""
        for name, known in {**info.transforms(), **info.interpolators()}.items():
            with self.subTest(name):
                self.assertRegex(known["description"], r"^[A-Z].*[a-z0-9]$")
                self.assertRegex(known["documentation"], r"(?s)\.\n.*`")

    def test_interpolators(self) -> None:
        """All of them."""
        self.assertEqual(list(info.interpolators()), ["after", "before", "closest", "count", "mean", "sum"])
        self.assertEqual(
            list(info.interpolators()["sum"]), ["name", "description", "documentation", "ischema", "oschema"]
        )
