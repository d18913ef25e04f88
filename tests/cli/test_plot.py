"""``plot``."""

from __future__ import annotations

import os
import subprocess
import unittest

from ..pictures.cases import needs_plot
from ..support.command_line import PATIENCE, command, environment
from ..support.terminal import answered
from .test_data import DataCase


class Plot(DataCase):
    """Streams as pictures."""

    def test_numbers(self) -> None:
        """A range of a stream is drawn, in as many columns as there are, without colours in a pipe."""
        self.filled()
        lines = self.ran("plot", self.path, "--i1", "-100").splitlines()
        self.assertEqual(lines[0], f"━━ {self.path}")
        self.assertEqual(len(lines), 20)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertIn("no datapoints", self.ran("plot", self.path, "--t1", "1900000000"))
        self.assertIn("no datapoints", self.ran("plot", self.path, "--downlink"))

    def test_several(self) -> None:
        """Several streams are drawn above one time; of a transform there is no unit."""
        self.ran("set", self.path, 'schema={"type": "number", "unit": "°C"}', "nickname=Heat")
        self.filled()
        self.ran("new", "mara/user/lamp")
        self.addCleanup(self.ran, "rm", "-y", "mara/user/lamp")
        self.ran("insert", "lamp", stdin='{"t": 1600000000, "d": true}')
        printed = self.ran("plot", self.path, "lamp")
        self.assertTrue(printed.startswith("━━ Heat   [°C]\n"))
        self.assertRegex(printed, r"mara/user/lamp │█\n")
        self.assertNotIn("°C", self.ran("plot", self.path, "--transform", "if $ > 5"))

    @needs_plot
    def test_png(self) -> None:
        """A picture is a file; it may be for a dark ground."""
        self.filled()
        light, dark = (self.folder() / name for name in ("light.png", "dark.png"))
        self.assertEqual(self.ran("plot", self.path, "--png", str(light)), "")
        self.ran("plot", self.path, "--png", str(dark), "--dark")
        for file in (light, dark):
            self.assertEqual(file.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertNotEqual(light.read_bytes(), dark.read_bytes())
        self.ran("plot", self.path, "--dark", status=2)
        self.ran("plot", "nobody/of/these", "--png", str(light.with_name("none.png")), status=1)
        self.assertFalse(light.with_name("none.png").exists())

    @needs_plot
    def test_letters(self) -> None:
        """Letters that the font lacks are told in a line."""
        self.ran("set", self.path, "nickname=温度")
        file = self.folder() / "x.png"
        self.assertRegex(self.ran("plot", self.path, "--png", str(file)), "^Some characters appear as boxes.*\n$")

    def test_locale(self) -> None:
        """Where the locale has no such letters there are others, and no traceback."""
        self.filled()
        done = subprocess.run(
            command("plot", self.path),
            capture_output=True,
            env=environment(PYTHONIOENCODING="latin-1"),
            timeout=PATIENCE,
        )
        self.assertEqual((done.returncode, done.stderr, done.stdout[:4]), (0, b"", b"?? m"))

    @unittest.skipUnless(hasattr(os, "openpty"), "there are no pseudo-terminals here")
    def test_terminal(self) -> None:
        """A terminal has colours, unless it wants none, and its own width."""
        self.filled()
        for no_color, colored in (("", True), ("1", False)):
            with self.subTest(no_color=no_color):
                text = answered(self, command("plot", self.path), env=environment(NO_COLOR=no_color, COLUMNS="100"))
                self.assertEqual("\x1b[38;5;32m" in text, colored)
                (axis,) = (line for line in text.splitlines() if "└" in line)
                self.assertEqual(len(axis), 100)
