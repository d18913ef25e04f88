"""The streams, the settings and the eras of the clock in a cache file. Only SQL; the layout is in `upgrade`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...protocol import json_text
from ...runtime import sqlite
from ..clocks import STEP
from ..records import StreamRow
from .cache_file import CacheFile


class Catalogue:
    """Which streams there are, and what the Logger remembers."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file

    def streams(self) -> list[StreamRow]:
        """Return the streams, in the order in which they were added."""
        with self._file.reading() as connection:
            rows = list(
                connection.execute("SELECT id, name, schema, properties, declared, strict FROM stream ORDER BY id")
            )
        return [
            StreamRow(id, name, schema, json_text.loads(properties), bool(declared), bool(strict))
            for id, name, schema, properties, declared, strict in rows
        ]

    def put_stream(
        self,
        name: str,
        schema: str,
        properties: Mapping[str, Any] | None = None,
        declared: bool = False,
        strict: bool = False,
    ) -> None:
        """Add a stream, or change the one of that name."""
        text = json_text.dumps(dict(properties or {})).decode()

        def work(connection: sqlite.Connection) -> None:
            connection.execute(
                "INSERT INTO stream (name, schema, properties, declared, strict) VALUES (?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT (name) DO UPDATE SET schema = ?2, properties = ?3, declared = ?4, strict = ?5",
                (name, schema, text, declared, strict),
            )

        self._file.write(work)

    def declare_all(self) -> None:
        """Ask the server for every stream again at the next pass: it is another server."""
        self._file.write(lambda connection: connection.execute("UPDATE stream SET declared = 1"))

    def settings(self) -> dict[str, Any]:
        """Return all settings."""
        with self._file.reading() as connection:
            return {name: json_text.loads(value) for name, value in connection.execute("SELECT * FROM setting")}

    def save(self, **settings: Any) -> None:
        """Keep settings, any JSON values, in one transaction."""
        rows: Iterable[tuple[str, str]] = [(name, json_text.dumps(value).decode()) for name, value in settings.items()]
        self._file.write(lambda connection: connection.executemany("REPLACE INTO setting VALUES (?, ?)", rows))

    def time_known(self) -> float:
        """Return a time that has passed for certain: the latest that a server said at a sync; 0 if none did."""
        with self._file.reading() as connection:
            return time_known(connection)

    def era(self, boot: str, difference: float) -> tuple[int, float]:
        """
        Note how far the wall clock and the boot clock are apart from now on.

        Returns:
            The era that points are marked with, and its difference; it may be an earlier era, or that of another process.
        """

        def work(connection: sqlite.Connection) -> tuple[int, float]:
            query = (
                "SELECT id, difference FROM era WHERE boot = ?1 AND abs(difference - ?2) < ?3 "
                "ORDER BY abs(difference - ?2) LIMIT 1"
            )
            if row := sqlite.first(connection, query, (boot, difference, STEP)):
                id, noted = row
                return int(id), float(noted)
            # eras of earlier boots, if no point is left that may be marked with them
            connection.execute("DELETE FROM era WHERE boot <> ? AND NOT EXISTS (SELECT 1 FROM point)", (boot,))
            connection.execute("INSERT INTO era (boot, difference) VALUES (?, ?)", (boot, difference))
            return int(connection.last_insert_rowid()), difference

        return self._file.write(work)


def time_known(connection: sqlite.Connection) -> float:
    """Return what `Catalogue.time_known` does."""
    row = sqlite.first(connection, "SELECT value FROM setting WHERE name = 'servertime'")
    return 0.0 if row is None else float(row[0])
