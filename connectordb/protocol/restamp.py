"""
Inserting with times that are moved where the stream holds something newer, without damage to the values.

The original server re-encodes the value of a point whose time it moves (``docs/topics/wire.rst``, "Restamping"), and
damages some. Those are inserted with ``POST``, which refuses what is older; then the times are moved here. `insert` says
the whole order of requests; it is pure, as it is given the function that sends them.
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

#: Levels of lists and objects that a value keeps when it is restamped; what lies deeper becomes null.
RESTAMP_DEPTH = 15

#: The status of a server of ours whose disk is full.
_FULL = 507

#: How often times are moved here, if other writers are faster each time.
_ATTEMPTS = 5


class Call(Protocol):
    """
    Sends a request; returns what the answer says, or raises one of our exceptions.

    Of an insert without an answer it raises `OutcomeUnknown` if any of it may have arrived, and another
    `ConnectionFailed` only if nothing can have.
    """

    def __call__(self, request: rest.Request[T]) -> T: ...


def is_damaged_by_restamping(value: Any) -> bool:
    """
    Tell whether the original server may change *value* when it moves its time.

    It does so to nulls inside of lists and objects (a null alone is safe), to empty objects, and to what lies deeper
    than `RESTAMP_DEPTH` levels.
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
    """Return the time that a point gets which is older than the *newest* stored one: the server's own rule."""
    return newest + RESTAMP_STEP if float(newest).is_integer() else newest


def restamped(points: Sequence[Datapoint], newest: float | None) -> list[Datapoint]:
    """
    Return *points* as the server restamps them.

    If the first is older than the *newest* stored time (``None``: the stream is empty), it and those after it are moved
    to `restamped_time`, up to the first that is later than that.
    """
    if not points or points[0]["t"] >= (newest or 0.0):
        return list(points)
    time = restamped_time(newest or 0.0)
    first_later = next((number for number, point in enumerate(points) if point["t"] > time), len(points))
    return [{**point, "t": time} for point in points[:first_later]] + list(points[first_later:])


def insert(call: Call, path: Path, points: Sequence[Datapoint]) -> None:
    """
    Insert *points*, moving times that are too old; every point has ``t`` and ``d``.

    Where no answer came, the end of the stream is read: if the points are there, with the times they were sent with,
    all is well. Nothing is sent twice.

    Raises:
        AuthenticationError: The server refused; nothing is stored.
        OutcomeUnknown: No answer came, or a useless one, and whether the points are stored cannot be decided.
        ConnectionFailed: The server is away; nothing is stored.

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
    Send one insert, and if no answer came look whether it is stored.

    Raises:
        AuthenticationError: The server refused; nothing is stored.
        OutcomeUnknown: Whether it is stored cannot be decided: what is not there may still arrive, a point whose time was
            moved looks like anybody's, or the stream cannot be read now.
        ConnectionFailed, ServerError: The server is away, or did nothing, which the error says as ``retryable``.
    """
    try:
        call(rest.insert(path, points, restamp))
    except (OutcomeUnknown, ServerError) as lost:
        # a server that is full says itself that nothing was stored
        if lost.retryable or (lost.status == _FULL and lost.ref):
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
    """Look at the end of the stream: all of *points*, with the times they were sent with, or not that anybody could tell."""
    try:
        end = call(rest.points(path, read_parameters({"i1": -2 * len(points) - 10})))
    except (ConnectionFailed, ResponseError):
        return False
    from .settle import Outcome, Sent, settle  # loads what few programs need

    return settle([Sent((point["t"],), point.get("d")) for point in points], end).outcome is Outcome.STORED
