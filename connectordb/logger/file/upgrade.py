"""
The layout of a cache file, and how older files are upgraded to it, those of the 0.3.5 client among them.

A row's id is its stream's id and a number that counts up within the stream, in one integer. So a stream's rows lie side by
side, in order, in a table that needs no index; the newest row, the oldest, and the number of waiting rows are found without
a scan; and an insert writes one page. A number is never used again: whatever deletes rows saves the highest number first.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from ...exceptions import StorageDamaged, StorageError
from ...protocol.constants import CONNECTORDB_URL
from ...runtime import layouts, sqlite
from .ids import NUMBER_BITS

log = logging.getLogger(__name__)

#: Written into the file's header: tells a Logger's file from any other SQLite file ("CDBL").
APPLICATION_ID = 0x4344424C

#: The setting that says that the file has been used without flushing every commit: making it, and asking for it.
UNFLUSHED = "INSERT OR IGNORE INTO setting VALUES ('unflushed', 'true')"
IS_UNFLUSHED = "SELECT 1 FROM setting WHERE name = 'unflushed'"

#: The tables of a 0.3.5 file.
OLD_TABLES = {"cache", "streams", "metadata"}

#: There will never be so many layouts: a file that claims to have this one is damaged, and not from a newer program.
_NEVER = 1000

_LAYOUT = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL DEFAULT 0,     -- counts every change to this stream's rows but appending to them; read at each of those
    name TEXT NOT NULL UNIQUE,
    schema TEXT NOT NULL,
    properties TEXT NOT NULL DEFAULT '{}',  -- what it is created with
    declared INTEGER NOT NULL DEFAULT 0,    -- whether the server has yet to be asked for it
    strict INTEGER NOT NULL DEFAULT 0,      -- whether another schema there is an error
    number INTEGER NOT NULL DEFAULT 0,      -- of the newest row, when rows were last taken off
    last REAL NOT NULL DEFAULT 0,           -- its time: the newest that was accepted
    sent REAL NOT NULL DEFAULT 0,           -- the newest time that was in a note
    noted INTEGER NOT NULL DEFAULT 0,       -- number of the newest row that was in one: up to it times are final
    confirmed INTEGER NOT NULL DEFAULT 0,   -- what became of the rows that are gone
    aside INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    moved INTEGER NOT NULL DEFAULT 0,       -- to a new id: an earlier point came after them, or they were set aside and go again
    lost INTEGER NOT NULL DEFAULT 0,        -- with a file that was damaged
    held INTEGER NOT NULL DEFAULT 0,        -- number of the newest row that is confirmed and still here: see held
    level INTEGER NOT NULL DEFAULT 0,       -- thinned out: up to this number there are only multiples of 2 ** level
    thinned INTEGER NOT NULL DEFAULT 0,
    shifted INTEGER NOT NULL DEFAULT 0,     -- points whose time was moved by the smallest step
    corrected INTEGER NOT NULL DEFAULT 0,   -- points whose time was corrected, as the clock had been wrong
    restamped INTEGER NOT NULL DEFAULT 0,   -- points that were given a later time, as the stream held newer ones
    synced REAL NOT NULL DEFAULT 0,         -- when points of it were last confirmed
    error TEXT,                             -- why they wait, if the last attempt failed
    error_at REAL NOT NULL DEFAULT 0
);

-- The points that wait. era: null if the user gave the time, 0 if nothing is known of the clock then.
-- stamp: what the clock showed, where t is another time by more than a moment, or was corrected.
CREATE TABLE point (id INTEGER PRIMARY KEY, t REAL NOT NULL, d TEXT NOT NULL, era INTEGER, stamp REAL);

-- How wall clock and boot clock went together, from one step of the wall clock to the next.
-- corrected: the seconds that are added to the times of its points; null until the clock was judged.
CREATE TABLE era (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, difference REAL NOT NULL, corrected REAL);

-- What may have been sent: the rows from first to last, at most one note a stream. length is null if it is not known.
CREATE TABLE note (
    stream INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    server TEXT NOT NULL,
    apikey TEXT NOT NULL,
    path TEXT NOT NULL,
    length INTEGER,
    before REAL,                            -- the time of the point before that length
    attempts INTEGER NOT NULL DEFAULT 0,    -- outcomes of this very batch that were unknown
    key TEXT                                -- under which its first copy was sent, if the server knows such keys
);

-- Further times that a row was sent with since its note was made.
CREATE TABLE note_time (point INTEGER NOT NULL, t REAL NOT NULL, PRIMARY KEY (point, t)) WITHOUT ROWID;

-- Batches that a server confirmed which may forget its last second: their rows stay until they were seen there later.
CREATE TABLE held (
    stream INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    server TEXT NOT NULL,
    apikey TEXT NOT NULL,
    path TEXT NOT NULL,
    length INTEGER NOT NULL,
    before REAL,
    version INTEGER NOT NULL DEFAULT 0,     -- of the stream then: the same rows may be lost, and confirmed once more
    PRIMARY KEY (stream, first)
) WITHOUT ROWID;

-- What became of ids that are gone without having been confirmed: of first, first + step, ... last. Now they have others, one
-- after the other from `now` on, or, where that is null, were dropped.
CREATE TABLE fate (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, step INTEGER NOT NULL DEFAULT 1, now INTEGER
);

-- Points set aside, with the reason, and when.
CREATE TABLE rejected (
    id INTEGER PRIMARY KEY, t REAL NOT NULL, d TEXT NOT NULL, era INTEGER, reason TEXT NOT NULL, at REAL NOT NULL
);
"""


def open_file(
    path: str | os.PathLike[str], check: Callable[[sqlite.Connection], object] | None = None
) -> sqlite.Connection:
    """
    Open a cache file for writing, and bring it to the newest layout; create it if it does not exist.

    Args:
        path: Where it is.
        check: Called before anything is changed. If it raises, nothing is changed, not even the log.

    Raises:
        StorageDamaged: It is not SQLite, or is a Logger's and cannot have been written like this.
        StorageError: It is a directory, unreadable, not a Logger's, or newer than this program.
    """
    connection = sqlite.connect(path, only_look=check is not None)
    try:
        with sqlite.translated(path, "opening"):
            check_kind(connection, path)
            if check is not None:
                layouts.check_version(connection, path, len(MIGRATIONS))
                check(connection)
                sqlite.take_on(connection)
            layouts.migrate(connection, path, MIGRATIONS)
    except BaseException:
        connection.close()
        raise
    return connection


def remove_unused(path: str | os.PathLike[str]) -> None:
    """Remove a cache file, unless another process has it open by now: what that process logs would be lost."""
    try:
        with sqlite.alone(path, 0.0):
            for suffix in ("", "-wal", "-shm", ".lock"):
                Path(f"{os.fspath(path)}{suffix}").unlink(missing_ok=True)
    except StorageError as error:
        log.warning("%s, which was made for nothing, is not removed: %s", os.fspath(path), error)


def check_kind(connection: sqlite.Connection, path: str | os.PathLike[str]) -> None:
    with sqlite.view(connection):  # another process may make the file just now
        mark, version = int(connection.pragma("application_id")), layouts.version(connection)
        tables = set(_tables(connection))
    if mark == APPLICATION_ID and 0 < version < _NEVER:
        return
    if mark == 0 and version == 0 and tables in (set(), OLD_TABLES):
        return
    if mark == APPLICATION_ID or {"point", "stream", "note", "setting"} <= tables:
        raise StorageDamaged(
            f"opening {os.fspath(path)!r}: the file is damaged (marked as {mark:#x}, of layout {version})"
        )
    raise StorageError(
        f"opening {os.fspath(path)!r}: this is an SQLite file, but no Logger's cache (its tables: "
        f"{', '.join(sorted(tables)) or 'none'}); give another path"
    )


def layout(connection: sqlite.Connection) -> dict[str, list[tuple[str, str, bool, bool]]]:
    """Return table → for each column its name, its type, whether it is never null, and whether it is in the key."""
    query = (
        "SELECT name, type, \"notnull\" OR (pk AND type <> 'INTEGER'), pk > 0 FROM pragma_table_info(?) ORDER BY cid"
    )
    return {
        table: [(name, type, bool(never), bool(key)) for name, type, never, key in connection.execute(query, (table,))]
        for table in _tables(connection)
    }


@cache
def newest_layout() -> dict[str, list[tuple[str, str, bool, bool]]]:
    """Return the same for a file that this program makes."""
    connection = sqlite.connect(":memory:", private=False)
    try:
        for migration in MIGRATIONS:
            migration(connection)
        return layout(connection)
    finally:
        connection.close()


def _tables(connection: sqlite.Connection) -> Iterator[str]:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return (name for (name,) in connection.execute(query))


def _first_layout(connection: sqlite.Connection) -> None:
    old = set(_tables(connection)) == OLD_TABLES
    connection.execute(_LAYOUT)
    if old:
        _make_private(connection.filename)
        _take_over(connection)
        connection.execute("DROP TABLE cache; DROP TABLE streams; DROP TABLE metadata")
    connection.pragma("application_id", APPLICATION_ID)


def _make_private(path: str) -> None:
    """Let only its owner read the file, which holds a key; 0.3.5 made files that everybody could read."""
    for name in (path, f"{path}-wal", f"{path}-shm"):
        try:
            os.chmod(name, 0o600)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("others can read %s, which holds an API key: %s", name, error.strerror)


def _take_over(connection: sqlite.Connection) -> None:
    """
    Bring what a 0.3.5 file holds into the new tables.

    The rows keep their times, and are ordered by them. The old client sent first and deleted afterwards. So all rows of a stream
    are noted as a batch with an unknown outcome, to be looked for by time, as no length is known.
    """
    server = CONNECTORDB_URL
    apikey = ""
    query = "SELECT apikey, serverurl, lastsynctime, syncperiod, userdatajson FROM metadata LIMIT 1"
    for apikey_given, serverurl, synced, period, data in connection.execute(query):
        apikey, server = apikey_given or "", _address(serverurl)
        connection.execute(
            "INSERT INTO setting SELECT 'apikey', json_quote(?1) UNION ALL SELECT 'serverurl', json_quote(?2) "
            "UNION ALL SELECT 'lastsynctime', json_quote(?3) UNION ALL SELECT 'syncperiod', json_quote(?4) "
            "UNION ALL SELECT 'data', ?5",
            (apikey, server, float(synced or 0), float(period or 600), _json(data)),
        )
    # the file existed, so its program's on_create was called before
    connection.execute("INSERT INTO setting VALUES ('created', 'true')")
    connection.execute(
        # there, a schema "null" means any value; and points of streams that are not listed must not be lost
        "INSERT INTO stream (name, schema) SELECT stream, CASE WHEN jsonschema IN ('null', '') OR NOT coalesce(json_valid(jsonschema), 0) "
        "THEN '{}' ELSE jsonschema END FROM streams WHERE stream IS NOT NULL GROUP BY stream"
    )
    connection.execute(
        "INSERT INTO stream (name, schema) SELECT DISTINCT stream, '{}' FROM cache "
        "WHERE stream NOT IN (SELECT name FROM stream)"
    )
    connection.execute(
        f"INSERT INTO point (id, t, d, era) SELECT (s.id << {NUMBER_BITS}) + row_number() OVER (PARTITION BY s.id ORDER BY c.timestamp, c.rowid), "
        "c.timestamp, c.jsondata, NULL FROM cache c JOIN stream s ON s.name = c.stream "
        "WHERE json_valid(c.jsondata) AND typeof(c.timestamp) IN ('real', 'integer') AND c.timestamp > 0 ORDER BY 1"
    )
    # what no server would take: 0.3.5 accepted NaN, for instance, and wrote it in a way that is not JSON
    connection.execute(
        f"INSERT INTO rejected SELECT (s.id << {NUMBER_BITS}) + coalesce((SELECT max(p.id) - (s.id << {NUMBER_BITS}) FROM point p "
        f"WHERE p.id BETWEEN s.id << {NUMBER_BITS} AND (s.id + 1 << {NUMBER_BITS}) - 1), 0) + row_number() OVER (PARTITION BY s.id ORDER BY c.rowid), "
        "CAST(c.timestamp AS REAL), coalesce(CAST(c.jsondata AS TEXT), 'null'), NULL, "
        "'not valid JSON, or without a time, in the cache file of an older client', unixepoch() "
        "FROM cache c JOIN stream s ON s.name = c.stream "
        "WHERE NOT (coalesce(json_valid(c.jsondata), 0) AND typeof(c.timestamp) IN ('real', 'integer') AND c.timestamp > 0)"
    )
    connection.execute(
        f"INSERT INTO note SELECT id >> {NUMBER_BITS}, min(id), max(id), ?, ?, '', NULL, NULL, 0, NULL "
        f"FROM point GROUP BY id >> {NUMBER_BITS}",
        (server, apikey),
    )
    connection.execute(
        f"UPDATE stream SET aside = (SELECT count(*) FROM rejected r WHERE r.id >> {NUMBER_BITS} = stream.id), "
        f"number = coalesce((SELECT max(i) & ((1 << {NUMBER_BITS}) - 1) FROM (SELECT max(id) AS i FROM point p WHERE p.id >> {NUMBER_BITS} = stream.id "
        f"UNION ALL SELECT max(id) FROM rejected r WHERE r.id >> {NUMBER_BITS} = stream.id)), 0), "
        f"last = coalesce((SELECT max(t) FROM point p WHERE p.id >> {NUMBER_BITS} = stream.id), 0)"
    )
    connection.execute("UPDATE stream SET sent = last, noted = number")


def _json(given: str | None) -> str:
    """Return the user's data as JSON: 0.3.5 also wrote what is not JSON, such as NaN, which becomes null."""
    try:
        return json.dumps(json.loads(given or "{}", parse_constant=lambda constant: None))
    except ValueError:
        return "{}"


def _address(given: str | None) -> str:
    # 0.3.5 kept what it was given, which often ended with the root of the API
    address = (given or CONNECTORDB_URL).rstrip("/")
    return address.removesuffix("/api/v1") or CONNECTORDB_URL


MIGRATIONS: tuple[layouts.Migration, ...] = (_first_layout,)
