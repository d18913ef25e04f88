"""What tells, without reading it, that a file was saved."""

from __future__ import annotations

import os

#: When it was saved, its size, and which file it is, as many editors make a new one.
Mark = tuple[int, int, int]


def mark(path: str | os.PathLike[str]) -> Mark | None:
    """Return a file's mark; `None` if it cannot be looked at, of which reading it says why."""
    try:
        about = os.stat(path)
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino
