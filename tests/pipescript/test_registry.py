"""What is known of transforms."""

from __future__ import annotations

import unittest

from connectordb.pipescript.registry import TRANSFORMS, Takes


class Known(unittest.TestCase):
    """All transforms."""

    def test_all_are_there(self) -> None:
        """As many as the original has, each under its own name."""
        self.assertEqual(len(TRANSFORMS), 55)
        for name, known in TRANSFORMS.items():
            self.assertEqual(known.name, name)

    def test_optional_arguments_come_last(self) -> None:
        """Or leaving one out would be about another."""
        for name, known in TRANSFORMS.items():
            with self.subTest(name):
                self.assertTrue(all(arg.optional for arg in known.args[known.required :]))
                self.assertFalse(any(arg.optional for arg in known.args[: known.required]))

    def test_defaults(self) -> None:
        """That of a script is the text of one."""
        for name, known in TRANSFORMS.items():
            for arg in known.args:
                if arg.optional and arg.takes is not Takes.CONSTANT:
                    with self.subTest(name):
                        self.assertEqual(arg.default, "$")
