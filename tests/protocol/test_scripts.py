"""Scripts as callers give them."""

from __future__ import annotations

import unittest
from typing import Any

from connectordb.exceptions import LocalProtocolError
from connectordb.pipescript import Script, pipe
from connectordb.protocol.scripts import script_text


class Texts(unittest.TestCase):
    """Whatever it was, it is text that travels."""

    def test_kinds(self) -> None:
        """Text is itself, a script what it says, nothing the empty text."""
        for given, wanted in (
            ("if  $", "if  $"),
            ("", ""),
            (None, ""),
            (pipe("$ > {x}", x=5), "$ > 5"),
            (Script("if  $ "), "if($)"),
            (Script("hour", tz="Asia/Tokyo"), 'hour("Asia/Tokyo")'),
        ):
            with self.subTest(repr(given)):
                text = script_text("transform", given)
                self.assertEqual(text, wanted)
                self.assertIs(type(text), str)

    def test_refused(self) -> None:
        """Anything else is no script, and the message shows it."""
        others: list[Any] = [5, b"$", ["$"], Script, False]
        for other in others:
            with self.subTest(other), self.assertRaisesRegex(LocalProtocolError, "transform=.* is no PipeScript"):
                script_text("transform", other)
