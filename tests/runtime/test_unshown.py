"""Secrets in variables."""

from __future__ import annotations

import traceback
import unittest

from connectordb.runtime.unshown import UnshownBytes, UnshownText


class Unshown(unittest.TestCase):
    """They are what they are, and are not seen."""

    def test_as_they_are(self) -> None:
        """They equal what they were made of, and are sent as that."""
        self.assertEqual(UnshownText("secret"), "secret")
        self.assertEqual({UnshownText("secret"): 1}["secret"], 1)
        self.assertEqual(UnshownText("secret").encode("latin-1"), b"secret")
        self.assertEqual(b"".join([UnshownBytes(b"sec"), b"ret"]), b"secret")
        self.assertEqual(UnshownBytes(b"secret")[0], ord("s"))

    def test_unseen(self) -> None:
        """No repr has them, be it of a part or of what holds them."""
        text, held = UnshownText("secret"), UnshownBytes(b"secret")
        for shown in (
            repr(text),
            repr(text[:3]),
            repr(text.encode()),
            repr({"Authorization": text}),
            repr(held),
            repr([held[1:]]),
        ):
            self.assertNotIn("ec", shown)
        self.assertEqual((repr(text), repr(held)), ("<text of 6 characters>", "<6 bytes>"))

    def test_traceback(self) -> None:
        """A traceback with its variables has none of it."""
        try:
            header = {"Authorization": UnshownText("hidden-key")}
            raise ValueError(len(header))
        except ValueError as error:
            lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
            variables = [line for line in lines if " = " in line and "UnshownText(" not in line]
        self.assertTrue(any("header = {'Authorization': <text of 10 characters>}" in line for line in variables))
