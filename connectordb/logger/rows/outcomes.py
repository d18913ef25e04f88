"""
How the last attempt to sync went, kept in the file, where other processes see it. Only SQL.

It is written only if it is news: a server that is away for a month costs one write.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from ...exceptions import StorageError
from ...protocol import json_text
from ...protocol.features import Features
from ...runtime import sqlite
from .cache_file import CacheFile

log = logging.getLogger(__name__)

#: The reference under which a server's log has an error: another one each time.
_REF = re.compile(r" \(ref [^()]*\)")


class Outcomes:
    """The last failures, of single streams and of whole passes, and what the server announces."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file

    def stream_failed(self, stream: int, error: Exception, now: float) -> None:
        """Keep why *stream* could not be served."""
        query = "SELECT error FROM stream WHERE id = ?"
        with self._file.reading() as connection:
            known: list[Any] = connection.execute(query, (stream,)).fetchall()
        if known and _is_news(known[0][0], error):
            update = "UPDATE stream SET error = ?, error_at = ? WHERE id = ?"
            self._file.write(lambda connection: connection.execute(update, (str(error), now, stream)))

    def stream_succeeded(self, stream: int) -> None:
        """Forget why *stream* could not be served before."""
        with self._file.reading() as connection:
            ((known,),) = connection.execute("SELECT error FROM stream WHERE id = ?", (stream,))
        if known is not None:
            update = "UPDATE stream SET error = NULL, error_at = 0 WHERE id = ?"
            self._file.write(lambda connection: connection.execute(update, (stream,)))

    def failed(self, error: Exception, now: float) -> None:
        """Keep why a pass failed; if the file cannot take that, log it."""
        try:
            known = self._setting("failure")
            if _is_news(known[0] if known else None, error):
                self._save("failure", [str(error), now])
        except StorageError as full:
            log.warning("the file does not say that a sync failed: %s", full)

    def succeeded(self) -> None:
        """Forget why a pass failed before."""
        if self._setting("failure") is not None:
            self._save("failure", None)

    def reached(self, features: Features) -> None:
        """Keep what the server announces."""
        if self._setting("features") != str(features):
            self._save("features", str(features))

    def _setting(self, name: str) -> Any:
        with self._file.reading() as connection:
            row = sqlite.first(connection, "SELECT value FROM setting WHERE name = ?", (name,))
        return None if row is None else json_text.loads(row[0])

    def _save(self, name: str, value: object) -> None:
        text = json_text.dumps(value).decode()

        def work(connection: sqlite.Connection) -> None:
            connection.execute("REPLACE INTO setting VALUES (?, ?)", (name, text))

        self._file.write(work)


def _is_news(known: str | None, error: Exception) -> bool:
    return known is None or _REF.sub("", known) != _REF.sub("", str(error))
