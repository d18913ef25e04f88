"""Paths: text to value and back."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import LocalProtocolError
from connectordb.protocol.paths import Path, check_name, is_name

from ..support.strategies import names, paths


class Parsing(unittest.TestCase):
    """A path is one to three names, and perhaps a downlink."""

    @given(paths())
    def test_reads_back(self, path: Path) -> None:
        """What a path says is read as the same path."""
        self.assertEqual(Path.parse(str(path)), path)

    @given(st.text(max_size=40))
    def test_any_text(self, text: str) -> None:
        """Any text is a path or is refused with an error of ours that shows it."""
        try:
            self.assertEqual(str(Path.parse(text)), text)
        except LocalProtocolError as error:
            self.assertTrue(any(repr(part)[1:-1][:3] in str(error) for part in text.split("/")), error)

    def test_refusals_say_what_is_expected(self) -> None:
        """The message names the part that is wrong and what would be right."""
        for text, words in {
            "": "is no path",
            "a//c": "'a//c' is no path, as a name in it is empty",
            "a/b c": "'b c' cannot be the name",
            "1a": "'1a' cannot be the name",
            "a/b/c/d": "only '/downlink' may follow",
            "a/b/c/downlink/x": "has 5 parts",
            "a/" + "b" * 30: "29 characters",
            "a/b/": "without a slash at either end",
            "ä": "a letter, then letters",
        }.items():
            with self.subTest(text), self.assertRaisesRegex(LocalProtocolError, words):
                Path.parse(text)

    def test_other_kinds_of_value(self) -> None:
        """What is no text is no path."""
        for value in (None, 5, b"a/b", ["a"]):
            with self.subTest(value), self.assertRaises(LocalProtocolError):
                Path.parse(value)  # type: ignore[arg-type]


class Parts(unittest.TestCase):
    """What a path knows about itself."""

    def test_a_stream(self) -> None:
        """A stream has a device, a user, and a downlink."""
        path = Path.parse("mara/lamp/light")
        self.assertEqual((path.depth, path.kind, path.name), (3, "stream", "light"))
        self.assertEqual((str(path.device), str(path.user)), ("mara/lamp", "mara"))
        self.assertEqual(str(path.at_downlink()), "mara/lamp/light/downlink")
        self.assertEqual(path.at_downlink().rest, "mara/lamp/light")
        self.assertEqual(path.at_downlink().stream, path)
        self.assertEqual(path / "downlink", path.at_downlink())
        self.assertEqual(path.stream, path)

    def test_what_is_not_there(self) -> None:
        """A user belongs to no device, a device has no downlink, a stream no children."""
        with self.assertRaisesRegex(LocalProtocolError, "belongs to no device"):
            _ = Path.parse("mara").device
        with self.assertRaisesRegex(LocalProtocolError, "only a stream has a downlink"):
            Path.parse("mara/lamp").at_downlink()
        with self.assertRaisesRegex(LocalProtocolError, "has 4 parts"):
            Path.parse("mara/lamp/light") / "more"

    @given(paths(most=2), names)
    def test_child(self, path: Path, name: str) -> None:
        """A child's path is the parent's and its name."""
        self.assertEqual(str(path / name), f"{path}/{name}")

    @given(st.text(max_size=35))
    def test_names(self, text: str) -> None:
        """`check_name` accepts exactly what `is_name` says."""
        if is_name(text):
            self.assertEqual(check_name(text), text)
        else:
            self.assertRaises(LocalProtocolError, check_name, text)
