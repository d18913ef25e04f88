"""Noticing that a file was saved, without reading it."""

from __future__ import annotations

import os

#: When the file was saved, its size, and its inode, as many editors replace a file when they save it.
Mark = tuple[int, int, int]


def mark(path: str | os.PathLike[str]) -> Mark | None:
    """Return a file's mark, which changes when it is saved; `None` if there is no such file, or it cannot be looked at."""
    try:
        about = os.stat(path)
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino
