"""The points that were set aside: SQL and nothing else; the layout is in `upgrade`."""

from __future__ import annotations

from typing import Any

from ..protocol import json_text
from .cache_file import CacheFile
from .records import Rejected


class Aside:
    """What was set aside."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file

    def points(self) -> list[Rejected]:
        """Return the points that were set aside, oldest first."""
        query = (
            "SELECT r.id, s.name, r.t, r.d, r.reason, r.at FROM rejected r JOIN stream s ON s.id = r.id >> 40 "
            "ORDER BY r.at, r.id"
        )
        with self._file.reading() as connection:
            rows = list(connection.execute(query))
        return [Rejected(id, name, t, _value(d), reason, at) for id, name, t, d, reason, at in rows]


def _value(d: str) -> Any:
    try:
        return json_text.loads(d)
    except ValueError:
        return d  # that may be why it was set aside
