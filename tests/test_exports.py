"""The front door exports exactly what it says."""

from __future__ import annotations

import logging
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
        """The package's logger is silent until somebody listens."""
        handlers = logging.getLogger("connectordb").handlers
        self.assertTrue(any(isinstance(handler, logging.NullHandler) for handler in handlers))
