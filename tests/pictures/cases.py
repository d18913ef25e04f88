"""Drawing in tests: where matplotlib is, without a window, and nothing is left open."""

from __future__ import annotations

import importlib.util
import os
import unittest
from typing import Any

from ..support.case import Case

os.environ.setdefault("MPLBACKEND", "Agg")

needs_plot = unittest.skipUnless(importlib.util.find_spec("matplotlib"), "the extra 'plot' is not installed")

START = 1_767_225_600.0


def points(*values: Any, step: float = 60.0) -> list[dict[str, Any]]:
    """Return points of these values, a minute apart."""
    return [{"t": START + step * number, "d": value} for number, value in enumerate(values)]


@needs_plot
class DrawingCase(Case):
    """Figures of pyplot are closed."""

    def setUp(self) -> None:
        super().setUp()
        from matplotlib import pyplot

        self.addCleanup(pyplot.close, "all")
