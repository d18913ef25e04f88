"""
Making the counts in a mended file add up again. Only SQL; the layout is in `upgrade`.

For each stream: accepted = confirmed + waiting + set aside + dropped + lost, and no number of a row is ever used again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...protocol.paths import is_name
from ...runtime import sqlite
from ..file import MASK, NUMBER_BITS, span

#: If one of these tables is not whole, it is not known which rows may have been sent, or were taken off since.
_TELLING = {"stream", "point", "note", "note_time", "held"}

#: If the last rows may be missing, so many numbers are skipped: those of the missing rows may be known elsewhere.
_GAP = 1 << 20


def reckon(connection: sqlite.Connection, partly: Collection[str], names: Mapping[int, str]) -> tuple[int, bool]:
    """
    Put right what does not fit; to be called in a transaction.

    Args:
        connection: The new file.
        partly: The tables that may not be whole.
        names: Stream id → name, as far as names are known from elsewhere.

    Returns:
        How many points are lost, and whether all waiting points were noted as batches with an unknown outcome.
    """
    connection.execute(
        "DELETE FROM point WHERE id IN (SELECT id FROM rejected) "
        "OR EXISTS (SELECT 1 FROM fate f WHERE point.id BETWEEN f.first AND f.last AND (point.id - f.first) % f.step = 0)"
    )
    known = {id for (id,) in connection.execute("SELECT id FROM stream")}
    for id in sorted(_streams(connection) - known):
        connection.execute(
            "INSERT INTO stream (id, name, schema) VALUES (?, ?, '{}')", (id, _name(connection, id, names))
        )
    connection.execute("UPDATE point SET era = 0 WHERE era IS NOT NULL AND era NOT IN (SELECT id FROM era)")
    connection.execute("DELETE FROM note_time WHERE point NOT IN (SELECT id FROM point)")
    in_doubt = not _TELLING.isdisjoint(partly)
    lost = 0
    for (id,) in list(connection.execute("SELECT id FROM stream ORDER BY id")):
        if in_doubt:
            _put_in_doubt(connection, id)
        lost += _balance(connection, id, gap=in_doubt, anew=id not in known)
    if in_doubt:
        connection.execute("DELETE FROM held")
    return lost, in_doubt


def _streams(connection: sqlite.Connection) -> set[int]:
    """Return the ids of the streams of which anything is left."""
    query = (
        "SELECT DISTINCT id >> ?1 FROM point UNION SELECT id >> ?1 FROM rejected UNION SELECT stream FROM note "
        "UNION SELECT stream FROM held"
    )
    return {int(id) for (id,) in connection.execute(query, (NUMBER_BITS,))}


def _name(connection: sqlite.Connection, id: int, names: Mapping[int, str]) -> str:
    query = "SELECT path FROM note WHERE stream = ?1 UNION ALL SELECT path FROM held WHERE stream = ?1"
    likely = [names.get(id, ""), *(str(path).rpartition("/")[2] for (path,) in connection.execute(query, (id,)))]
    taken = {name for (name,) in connection.execute("SELECT name FROM stream")}
    return next((name for name in likely if is_name(name) and name not in taken), f"lost-{id}")


def _put_in_doubt(connection: sqlite.Connection, stream: int) -> None:
    """Note all rows of a stream as a batch with an unknown outcome, including held ones, which had been confirmed."""
    first, last = span(stream)
    connection.execute(
        "UPDATE stream SET held = 0, confirmed = confirmed - "
        "(SELECT count(*) FROM point WHERE id BETWEEN ?2 AND ?2 + stream.held) WHERE id = ?1",
        (stream, first),
    )
    query = (
        "SELECT server, apikey, path FROM note WHERE stream = ?1 UNION ALL "
        "SELECT server, apikey, path FROM held WHERE stream = ?1"
    )
    server, apikey, path = sqlite.first(connection, query, (stream,)) or ("", "", "")
    ((count, lowest, highest),) = connection.execute(
        "SELECT count(*), min(id), max(id) FROM point WHERE id BETWEEN ? AND ?", (first, last)
    )
    connection.execute("DELETE FROM note WHERE stream = ?", (stream,))
    if count:
        connection.execute(
            "INSERT INTO note (stream, first, last, server, apikey, path, length, before) VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
            (stream, lowest, highest, server, apikey, path),
        )
        connection.execute(
            "UPDATE stream SET noted = max(noted, ?2 & ?3), last = max(last, (SELECT t FROM point WHERE id = ?2)), "
            "sent = max(sent, (SELECT t FROM point WHERE id = ?2)) WHERE id = ?1",
            (stream, highest, MASK),
        )


def _balance(connection: sqlite.Connection, stream: int, gap: bool, anew: bool) -> int:
    """Make a stream's counts fit its rows; return how many more points it should have had."""
    query = (
        "SELECT max(s.number, s.noted, s.held, coalesce((SELECT max(id) FROM point WHERE id BETWEEN ?2 AND ?3), ?2) - ?2, "
        "coalesce((SELECT max(id) FROM rejected WHERE id BETWEEN ?2 AND ?3), ?2) - ?2, "
        "coalesce((SELECT max(last) FROM fate WHERE last BETWEEN ?2 AND ?3), ?2) - ?2), "
        "(SELECT count(*) FROM point WHERE id BETWEEN ?2 + s.held + 1 AND ?3), "
        "(SELECT count(*) FROM rejected WHERE id BETWEEN ?2 AND ?3), s.confirmed, s.dropped, s.moved, s.lost "
        "FROM stream s WHERE s.id = ?1"
    )
    ((number, waiting, aside, confirmed, dropped, moved, lost),) = connection.execute(query, (stream, *span(stream)))
    missing = number - moved - lost - confirmed - dropped - aside - waiting
    if missing < 0:  # rows were found that had been confirmed; they are looked for on the server once more
        confirmed += missing
    if anew or confirmed < 0:  # it is not known what the counts were
        missing = confirmed = dropped = lost = 0
        moved = number - waiting - aside
    missing = max(missing, 0)
    skipped = _GAP if gap else 0
    connection.execute(
        "UPDATE stream SET number = ?2, confirmed = ?3, aside = ?4, dropped = ?5, moved = ?6, lost = ?7, "
        "version = version + 1 WHERE id = ?1",
        (stream, number + skipped, confirmed, aside, dropped, moved + skipped, lost + missing),
    )
    return int(missing)
