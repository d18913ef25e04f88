"""Files that are saved."""

from __future__ import annotations

import os

from connectordb.server.file_marks import mark

from ..support.case import Case


class Marks(Case):
    """Another mark for what was saved, the same for what was not."""

    def test_saved(self) -> None:
        """Written to, written anew at the same moment with the same size, and gone."""
        path = self.folder() / "file"
        self.assertIsNone(mark(path))
        path.write_text("one")
        first = mark(path)
        self.assertEqual(mark(path), first)
        path.write_text("three")
        self.assertNotEqual(mark(path), first)
        other = path.with_name("other")
        other.write_text("three")
        saved = path.stat()
        os.utime(other, ns=(saved.st_atime_ns, saved.st_mtime_ns))
        before = mark(path)
        other.replace(path)
        self.assertNotEqual(mark(path), before)
