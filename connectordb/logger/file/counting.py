"""Counting points without looking at each: SQL expressions on a row ``s`` of the table of streams, with `ids.MASK` as ``?1``."""

from __future__ import annotations

from .ids import NUMBER_BITS

#: The number of the newest row in the file, or 0.
NEWEST = (
    f"coalesce((SELECT p.id & ?1 FROM point p WHERE p.id BETWEEN s.id << {NUMBER_BITS} AND (s.id << {NUMBER_BITS}) + ?1 "
    "ORDER BY p.id DESC LIMIT 1), 0)"
)

#: How many points were accepted: all ids ever given, without those given to points that already had one.
ACCEPTED = f"max(s.number, {NEWEST}) - s.moved"

#: How many of them wait.
WAITING = f"{ACCEPTED} - s.confirmed - s.aside - s.dropped - s.lost"
