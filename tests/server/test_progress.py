"""Progress."""

from __future__ import annotations

from connectordb.server import check
from connectordb.server.progress import untold

from .test_database import FolderCase


class Telling(FolderCase):
    """Whoever wants to know is told, and nobody has to."""

    def test_both(self) -> None:
        """What is done is the same."""
        told: list[str] = []
        told_to = check(self.made(), print, lambda what, done, all: told.append(what))
        self.assertEqual(check(self.path, print, untold), told_to)
        self.assertTrue(told)
