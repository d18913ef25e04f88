"""Points on their way to a stream: checked, and cut into inserts that a server takes; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..exceptions import LocalProtocolError
from ..protocol import json_text
from ..protocol.constants import DATAPOINT_INSERT_LIMIT, INSERT_BYTES_LIMIT, REQUEST_BYTES_LIMIT
from ..protocol.points import Datapoint

#: The brackets of the array around a lone point.
_BRACKETS = 2


class Checker:
    """
    Checks points one after the other, as they are to be sent: each no older than the one before.

    Args:
        now: The time of points that have none, in seconds since 1970.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._last = -math.inf
        self._number = 0

    def point(self, given: Any) -> Datapoint:
        """
        Return a point as it is sent.

        Raises:
            LocalProtocolError: It is none, or older than the one before.
        """
        number, self._number = self._number, self._number + 1
        if not isinstance(given, Mapping):
            raise LocalProtocolError(
                f"datapoint {number} is {_shown(given)}: expected a dict {{'t': seconds since 1970, 'd': value}}"
            )
        unknown = [key for key in given if key not in ("t", "d", "o")]
        if unknown:
            raise LocalProtocolError(f"datapoint {number} has the key {unknown[0]!r}; there are 't', 'd' and 'o'")
        time = self._time(number, given.get("t"))
        if time < self._last:
            raise LocalProtocolError(
                f"datapoint {number} (t={time!r}) is older than the one before it (t={self._last!r}): "
                "a stream is in order of time; sort the datapoints first"
            )
        value = given.get("d")
        try:
            json_text.check_value(value)
        except LocalProtocolError as error:
            raise LocalProtocolError(f"datapoint {number}: {error}") from error
        self._last = time
        return {"t": time, "d": value}

    def _time(self, number: int, given: Any) -> float:
        if given is None:
            return self._now
        if isinstance(given, bool) or not isinstance(given, (int, float)):
            raise LocalProtocolError(f"datapoint {number} has t={_shown(given)}: expected seconds since 1970")
        try:
            time = float(given)
        except OverflowError:
            time = math.inf
        if not math.isfinite(time):
            raise LocalProtocolError(f"datapoint {number} has t={_shown(given)}, which is no time")
        # a server takes 0 for "now"
        return time or self._now


def batches(points: Iterable[Any], now: float) -> Iterator[list[Datapoint]]:
    """
    Yield *points* in inserts that a server takes: a sequence is checked whole first, anything else batch by batch.

    Raises:
        LocalProtocolError: A point is none, too large, or out of order.
    """
    checker = Checker(now)
    if isinstance(points, Sequence) and not isinstance(points, (str, bytes)):
        checked = [checker.point(point) for point in points]
        cut = [batch for chunk in _chunks(iter(checked)) for batch in _small_enough(chunk)]
        yield from cut
    elif isinstance(points, Iterable) and not isinstance(points, (str, bytes, Mapping)):
        for chunk in _chunks(map(checker.point, points)):
            yield from _small_enough(chunk)
    else:
        raise LocalProtocolError(f"{_shown(points)} is no list of datapoints: expected [{{'t': …, 'd': …}}, …]")


def _chunks(points: Iterator[Datapoint]) -> Iterator[list[Datapoint]]:
    while chunk := list(islice(points, DATAPOINT_INSERT_LIMIT)):
        yield chunk


def _small_enough(points: list[Datapoint]) -> Iterator[list[Datapoint]]:
    size = len(json_text.dumps(points))
    if size <= INSERT_BYTES_LIMIT:
        yield points
    elif len(points) > 1:
        half = len(points) // 2
        yield from _small_enough(points[:half])
        yield from _small_enough(points[half:])
    else:
        check_size(size)
        yield points


def check_size(size: int) -> None:
    """
    Refuse a lone point that no server takes.

    Raises:
        LocalProtocolError: It is that large.
    """
    if size > REQUEST_BYTES_LIMIT - _BRACKETS:
        raise LocalProtocolError(
            f"a datapoint of {size:,} bytes: a server takes requests of {REQUEST_BYTES_LIMIT:,} bytes at most"
        )


def _shown(value: object) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:60] + '…'} ({type(value).__name__})"
