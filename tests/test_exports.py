"""The front door exports exactly what it says."""

from __future__ import annotations

import subprocess
import sys
import types
import unittest

import connectordb
from connectordb import exceptions


class FrontDoor(unittest.TestCase):
    """``import connectordb``."""

    def test_all(self) -> None:
        """The public names are those of __all__, and there are no others but rooms."""
        public = {
            name
            for name, value in vars(connectordb).items()
            if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
        }
        self.assertEqual(public | {"__version__"}, set(connectordb.__all__))
        self.assertEqual(len(connectordb.__all__), len(set(connectordb.__all__)))

    def test_exceptions(self) -> None:
        """Every exception is at the front door."""
        for name in exceptions.__all__:
            self.assertIs(getattr(connectordb, name), getattr(exceptions, name))
            self.assertIn(name, connectordb.__all__)

    def test_version(self) -> None:
        """The version is a text."""
        self.assertRegex(connectordb.__version__, r"^\d+\.\d+\.\d+")

    def test_logging(self) -> None:
        """Where nobody configures logging, warnings are seen, as are the tracebacks of callbacks."""
        # in a process of its own: what runs the tests configures logging too
        program = "import connectordb, logging; logging.getLogger('connectordb.x').warning('told')"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual((done.stdout, done.stderr), ("", "told\n"))
