"""Calls that insert: each point is stored once, or not at all; which of the two is told, or that nobody knows."""

from __future__ import annotations

from typing import Any

from connectordb.protocol.constants import DATAPOINT_INSERT_LIMIT

from ..stage import Try
from .call import Call

_SOME = 3
_MANY = DATAPOINT_INSERT_LIMIT + 7


def _points(number: int) -> list[dict[str, Any]]:
    return [{"t": 1000.0 + n, "d": n} for n in range(number)]


def _make(at: Try) -> None:
    at.make_target()


def _raw(at: Try) -> str:
    return f"{at.target.path}/data"


INSERTING = [
    Call("Stream.insert(value)", lambda at: at.target.insert(1), prepare=_make, inserts=1),
    Call("Stream.insert([None])", lambda at: at.target.insert([None]), ("Stream.insert",), _make, inserts=1),
    Call("Stream.append(value)", lambda at: at.target.append(1), prepare=_make, inserts=1),
    Call(
        "Stream.insert_array(points)", lambda at: at.target.insert_array(_points(_SOME)), prepare=_make, inserts=_SOME
    ),
    Call(
        "Stream.insert_array(many points)",
        lambda at: at.target.insert_array(_points(_MANY)),
        prepare=_make,
        inserts=_MANY,
    ),
    Call(
        "Stream.insert_array(points, restamp=True)",
        lambda at: at.target.insert_array(_points(_SOME), restamp=True),
        prepare=_make,
        inserts=_SOME,
    ),
    Call(
        "Database.create(path/data, points)",
        lambda at: at.cdb.db.create(_raw(at), _points(_SOME)),
        prepare=_make,
        inserts=_SOME,
        is_raw=True,
    ),
    Call(
        "Database.update(path/data, points)",
        lambda at: at.cdb.db.update(_raw(at), _points(_SOME)),
        prepare=_make,
        inserts=_SOME,
        is_raw=True,
    ),
    Call(
        'ConnectorDB.request("POST", …)',
        lambda at: at.cdb.request("POST", f"crud/{_raw(at)}", data=_points(_SOME)),
        prepare=_make,
        inserts=_SOME,
        is_raw=True,
    ),
]
