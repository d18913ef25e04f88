"""What the language has, as text."""

from __future__ import annotations

import unittest

import click

from connectordb.cli.script_help import explained, listed
from connectordb.pipescript import INTERPOLATORS, TRANSFORMS


class Telling(unittest.TestCase):
    """Everything in the registry is told."""

    def test_list(self) -> None:
        """Each has a line, which is no longer than a wide terminal's."""
        lines = listed().splitlines()
        for name, each in {**TRANSFORMS, **INTERPOLATORS}.items():
            with self.subTest(name):
                self.assertTrue(any(line.startswith(f"  {name}") and each.description in line for line in lines))
        self.assertLessEqual(max(map(len, lines)), 160)

    def test_all(self) -> None:
        """Each can be explained, with all that is known of it."""
        for name, each in TRANSFORMS.items():
            with self.subTest(name):
                text = explained(name)
                self.assertTrue(text.startswith(name))
                flat = " ".join(text.split())
                for part in (each.description, each.oschema, *(argument.description for argument in each.args)):
                    self.assertIn(part, flat)
                self.assertIn("gives `", flat)
        for name in INTERPOLATORS:
            with self.subTest(name):
                self.assertIn(f"{name}, an interpolator", explained(name))

    def test_unknown(self) -> None:
        """A name that is none is told, with those that look like it."""
        for name, said in (("mapp", "did you mean map"), ("xyzzy", "--list")):
            with self.subTest(name), self.assertRaisesRegex(click.ClickException, said):
                explained(name)
