"""What a Logger says of itself, and what is really in its file: the one place of the harness that reads it."""

from __future__ import annotations

from typing import Any

from connectordb.logger import Logger
from connectordb.logger.rows.store import Store

#: Times that counts and rows are read until nothing came between.
_TRIES = 100

_FATES = ("accepted", "confirmed", "waiting", "aside", "dropped")


def read(logger: Logger) -> dict[str, Any]:
    """
    Return, as JSON can carry it, ``streams``: what the Logger counts of each, and the ``rows`` that are there; ``rejected``.

    What waits is counted here row by row: the Logger computes it, so it would add up by itself.
    """
    store = logger._store
    ids = {row.name: row.id for row in store.catalogue.streams()}
    said = _counts(logger)
    for _ in range(_TRIES):
        rows = {name: _rows(store, ids[name]) for name in said}
        before, said = said, _counts(logger)
        if said == before:  # otherwise a sync in the background came between the two
            break
    return {
        "streams": {name: {**counts, "rows": rows[name]} for name, counts in said.items()},
        "rejected": [[point["stream"], point["t"], point["d"], point["reason"]] for point in logger.rejected()],
    }


def _counts(logger: Logger) -> dict[str, dict[str, int]]:
    streams = logger.status().streams
    return {name: {fate: getattr(stream, fate) for fate in _FATES} for name, stream in streams.items()}


def _rows(store: Store, stream: int) -> int:
    """Return how many rows wait, which come behind those that were confirmed and are held."""
    return len(store.points.rows(store.held.first_waiting(stream), (stream + 1 << 40) - 1, 2**60, 2**60))
