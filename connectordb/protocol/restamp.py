"""
Inserting with restamping (points that are older than the newest stored one get a newer time) without damage to their values.

The original server re-encodes the value of each point whose time it moves (``docs/topics/wire.rst``, "Restamping"), and
damages some values. Points with such values are inserted with ``POST``, which refuses older points, and their times are moved
here. `insert` says which requests are sent in which order; it stays pure, as it is given the function that sends them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from ..exceptions import Conflict, ConnectionFailed, OutcomeUnknown, ResponseError, ServerError
from . import refusals, rest
from .constants import RESTAMP_STEP
from .encoded import Encoded
from .paths import Path
from .points import Datapoint
from .ranges import read_parameters

T = TypeVar("T")

#: Levels of lists and objects that survive restamping; what lies deeper becomes null.
RESTAMP_DEPTH = 15

#: The status by which an embedded server says that its disk is full.
_DISK_FULL = 507

#: How often points are sent, if another writer stores a newer point each time just before.
_ATTEMPTS = 5


class Call(Protocol):
    """
    Sends a request; returns what the answer says, or raises one of our exceptions.

    For an insert that got no answer it raises `OutcomeUnknown` if any of it may have arrived. Any other `ConnectionFailed`
    means that nothing can have arrived.
    """

    def __call__(self, request: rest.Request[T]) -> T: ...


def is_damaged_by_restamping(value: Any) -> bool:
    """
    Tell whether the original server may change *value* when it moves its time.

    It changes nulls inside lists and objects (a null by itself is safe), empty objects, and all that lies deeper than
    `RESTAMP_DEPTH` levels.
    """
    return isinstance(value, (dict, list, tuple)) and _is_damaged(value, RESTAMP_DEPTH)


def _is_damaged(value: Any, depth: int) -> bool:
    if value is None:
        return True
    if isinstance(value, dict):
        return depth == 0 or not value or any(_is_damaged(item, depth - 1) for item in value.values())
    if isinstance(value, (list, tuple)):
        return depth == 0 or any(_is_damaged(item, depth - 1) for item in value)
    return False


def are_damaged_by_restamping(points: Sequence[Datapoint]) -> bool:
    """Tell whether one of *points* has such a value."""
    if isinstance(points, Encoded) and points.is_flat:
        return False
    return any(is_damaged_by_restamping(point["d"]) for point in points)


def restamped_time(newest: float) -> float:
    """Return the time that the server gives to a point that is older than the *newest* stored one."""
    return newest + RESTAMP_STEP if float(newest).is_integer() else newest


def restamped(points: Sequence[Datapoint], newest: float | None) -> list[Datapoint]:
    """
    Return *points* as the server restamps them.

    If the first is older than the *newest* stored time (``None``: the stream is empty), it gets the time `restamped_time`,
    and so does each that follows, up to the first point that is later than that.
    """
    if not points or points[0]["t"] >= (newest or 0.0):
        return list(points)
    time = restamped_time(newest or 0.0)
    first_later = next((number for number, point in enumerate(points) if point["t"] > time), len(points))
    return [{**point, "t": time} for point in points[:first_later]] + list(points[first_later:])


def insert(call: Call, path: Path, points: Sequence[Datapoint]) -> None:
    """
    Insert *points*, moving times that are too old; every point has ``t`` and ``d``.

    If no answer comes, the end of the stream is read: if the points are there, with the times they were sent with, the insert
    has succeeded. Nothing is sent twice.

    Raises:
        AuthenticationError: The server refused; nothing is stored.
        OutcomeUnknown: No answer came, or one that says nothing, and whether the points are stored cannot be found out.
        ConnectionFailed: The server cannot be reached; nothing is stored.

    Calls: ``PUT crud/<path>/data``; for values that restamping damages ``POST``, and if they are refused as older
    ``GET crud/<path>/data?i1=-1`` and ``POST`` again.
    """
    if not are_damaged_by_restamping(points):
        send_once(call, path, points, restamp=True)
        return
    moved: Sequence[Datapoint] = points
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            send_once(call, path, moved)
            return
        except Conflict as refused:
            if refusals.OLDER not in refused.message or attempt == _ATTEMPTS:
                raise
        newest = call(rest.points(path, read_parameters({"i1": -1})))
        moved = restamped(points, newest[-1].get("t", 0.0) if newest else None)


def send_once(call: Call, path: Path, points: Sequence[Datapoint], restamp: bool = False) -> None:
    """
    Send one insert, and if no answer comes, look whether it is stored.

    Raises:
        AuthenticationError: The server refused; nothing is stored.
        OutcomeUnknown: Whether it is stored cannot be found out: points that are not there may still arrive, a point whose time
            the server moved cannot be told from another, or the stream cannot be read now.
        ConnectionFailed, ServerError: The server cannot be reached, or did nothing, and the error's ``retryable`` says so.
    """
    try:
        call(rest.insert(path, points, restamp))
    except (OutcomeUnknown, ServerError) as lost:
        # a server whose disk is full stores nothing, and says so
        if lost.retryable or (lost.status == _DISK_FULL and lost.ref):
            raise
        if not _is_stored(call, path, points):
            raise _unknown(path, len(points), lost) from lost


def _unknown(path: Path, number: int, lost: OutcomeUnknown | ServerError) -> OutcomeUnknown:
    unknown = OutcomeUnknown(
        f"inserting {number} point(s) into {str(path)!r}: {lost}; whether they are stored is unknown, and "
        "they were not sent again. Look at the end of the stream before inserting them once more"
    )
    unknown.status, unknown.code, unknown.ref = lost.status, lost.code, lost.ref
    unknown.method, unknown.path, unknown.attempts = lost.method, lost.path, lost.attempts
    unknown.stats = lost.stats
    return unknown


def _is_stored(call: Call, path: Path, points: Sequence[Datapoint]) -> bool:
    """Tell whether the end of the stream holds all of *points*, with the times they were sent with; False if it cannot be read."""
    try:
        end = call(rest.points(path, read_parameters({"i1": -2 * len(points) - 10})))
    except (ConnectionFailed, ResponseError):
        return False
    from .settle import Outcome, Sent, settle  # imported here because few programs ever need it

    return settle([Sent((point["t"],), point.get("d")) for point in points], end).outcome is Outcome.STORED
