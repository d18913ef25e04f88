"""A datapoint as it crosses the wire."""

from __future__ import annotations

from typing import Any

from ..exceptions import RemoteProtocolError

#: ``t`` seconds, ``d`` any JSON value, ``o`` the sender where it is not the owner.
Datapoint = dict[str, Any]


def read_point(point: Any) -> Datapoint:
    """
    Return a point off the wire with ``d`` in it: nulls are left out there.

    Raises:
        RemoteProtocolError: It is none.
    """
    if not isinstance(point, dict):
        raise RemoteProtocolError(f"{point!r} stands where a datapoint should")
    if "d" not in point:
        point["d"] = None
    return point
