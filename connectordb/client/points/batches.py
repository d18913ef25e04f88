"""
Points on their way to a stream: checked, and cut into inserts that a server takes; pure.

Most of what is inserted is many points alike, each a time and a number or text. Those are looked at a column at a time, which is
several times quicker than point by point; whatever is unusual about them, if only one of them, is for `Checker`, which looks at
each and says which it is that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from numbers import Real
from typing import Any

from ...exceptions import LocalProtocolError
from ...protocol import json_text
from ...protocol.constants import DATAPOINT_INSERT_LIMIT, INSERT_BYTES_LIMIT, REQUEST_BYTES_LIMIT
from ...protocol.doubts import Once, Tell, of_time, of_value
from ...protocol.encoded import Encoded
from ...protocol.points import EXACT, Datapoint
from ...protocol.times import LATE

#: The brackets of the array around a lone point.
_BRACKETS = 2

_TIMES = frozenset((float, int))
_NUMBERS = frozenset((float, int, bool))
_FLAT = frozenset((float, int, bool, str, type(None)))
_OBJECTS, _LISTS = frozenset((dict,)), frozenset((list, tuple))

#: Keys, or places, that are looked at together.
_MOST_COLUMNS = 50


class Checker:
    """
    Checks points one after the other, as they are to be sent: each no older than the one before.

    Args:
        now: The time of points that have none, in seconds since 1970.
        tell: Told of the first that is doubtful.
    """

    def __init__(self, now: float, tell: Tell) -> None:
        self._now = now
        self._tell = Once(tell)
        self._last = -math.inf
        self._number = 0

    def points(self, given: list[Any]) -> tuple[list[Datapoint], bool]:
        """
        Return points as they are sent, and whether no value is a list or an object.

        Raises:
            LocalProtocolError: One is none, or older than the one before.
        """
        kinds = self._kinds(given)
        if kinds is not None:
            return given, kinds <= _FLAT
        checked = [self.point(point) for point in given]
        return checked, _FLAT.issuperset([type(point["d"]) for point in checked])

    def _kinds(self, given: list[Any]) -> set[type] | None:
        """Return the types that occur among the values, if all points can be sent as they are; look at them all at once."""
        if not _OBJECTS.issuperset(map(type, given)):
            return None
        try:
            times, values = [point["t"] for point in given], [point["d"] for point in given]
        except KeyError:
            return None
        # both keys are there, so that it is two of each if it is two on average
        if sum(map(len, given)) != 2 * len(given) or not self._are_in_order(times):
            return None
        kinds = set(map(type, values))
        if not _are_values(values, kinds):
            return None
        self._last = times[-1]
        self._number += len(given)
        return kinds

    def _are_in_order(self, times: list[Any]) -> bool:
        if not _TIMES.issuperset(map(type, times)):
            return False
        try:
            finite = math.isfinite(sum(times))
        except OverflowError:  # an integer that is no float
            return False
        # a server takes 0 for "now"; what is in order needs no sorting, which is quicker than comparing
        in_bounds = finite and 0 < times[0] and self._last <= times[0] and times[-1] < LATE
        return in_bounds and sorted(times) == times

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
        try:
            value = json_text.checked(given.get("d"))
        except LocalProtocolError as error:
            raise LocalProtocolError(f"datapoint {number}: {error}") from error
        if doubt := of_time(time) or of_value(value):
            self._tell(f"datapoint {number} has {doubt}")
        self._last = time
        return {"t": time, "d": value}

    def _time(self, number: int, given: Any) -> float:
        if given is None:
            return self._now
        if isinstance(given, bool) or not isinstance(given, Real):
            raise LocalProtocolError(f"datapoint {number} has t={_shown(given)}: expected seconds since 1970")
        try:
            time = float(given)
        except OverflowError:
            time = math.inf
        if not math.isfinite(time):
            raise LocalProtocolError(f"datapoint {number} has t={_shown(given)}, which is no time")
        # a server takes 0 for "now"
        return time or self._now


def _are_values(values: Sequence[Any], kinds: set[type]) -> bool:
    """Tell whether JSON can carry all of these, and a server keeps them: together, or where they are not alike, each."""
    return _are_alike(values, kinds, json_text.MAX_DEPTH) or all(map(_is_kept, values))


def _are_alike(values: Sequence[Any], kinds: set[type], depth: int) -> bool:
    """Tell whether these are alike, so that they can be looked at together, and JSON can carry them all."""
    if kinds <= _FLAT:
        return _are_flat(values, kinds)
    columns = _columns(values, kinds) if depth else None
    return columns is not None and all(_are_alike(column, set(map(type, column)), depth - 1) for column in columns)


def _are_flat(values: Sequence[Any], kinds: set[type]) -> bool:
    if float in kinds:
        floats = values if kinds <= _NUMBERS else [value for value in values if type(value) is float]
        try:
            if not math.isfinite(sum(floats)):
                return False  # one of them is not, or all together are too much
        except OverflowError:
            return False
    if int in kinds:
        whole = [value for value in values if type(value) is int]
        if not (-EXACT <= min(whole) and max(whole) <= EXACT):
            return False
    return str not in kinds or json_text.is_unicode("".join([value for value in values if type(value) is str]))


def _columns(values: Sequence[Any], kinds: set[type]) -> list[Sequence[Any]] | None:
    """Return what objects with the same keys hold under each, or lists of the same length at each place; `None` of others."""
    if not kinds <= _OBJECTS and not kinds <= _LISTS:
        return None
    first = values[0]
    if len(first) > _MOST_COLUMNS or sum(map(len, values)) != len(first) * len(values):
        return None
    try:
        if kinds <= _LISTS:
            return list(zip(*values, strict=True))
        if not all(type(key) is str and json_text.is_unicode(key) for key in first):
            return None
        # if each has these keys, and they are so many on average, none has others
        return [[value[key] for value in values] for key in first]
    except (KeyError, ValueError):
        return None


def _is_kept(value: Any) -> bool:
    try:
        return json_text.checked(value) is value and not of_value(value)
    except LocalProtocolError:
        return False


def batches(points: Iterable[Any], now: float, tell: Tell) -> Iterator[Encoded]:
    """
    Yield *points* in inserts that a server takes: a sequence is checked whole first, anything else batch by batch.

    Args:
        points: Whatever was given.
        now: As for `Checker`.
        tell: As for `Checker`.

    Raises:
        LocalProtocolError: A point is none, too large, or out of order.
    """
    checker = Checker(now, tell)
    if isinstance(points, Sequence) and not isinstance(points, (str, bytes)):
        yield from [batch for chunk in _chunks(iter(points)) for batch in _encoded(*checker.points(chunk))]
    elif isinstance(points, Iterable) and not isinstance(points, (str, bytes, Mapping)):
        # each as it is when it comes: it may be one object that has another content each time
        taken = (point.copy() if type(point) is dict else _taken(point) for point in points)
        for chunk in _chunks(taken):
            yield from _encoded(*checker.points(chunk))
    else:
        raise LocalProtocolError(f"{_shown(points)} is no list of datapoints: expected [{{'t': …, 'd': …}}, …]")


def batches_of_pages(pages: Iterable[list[Any]], now: float, tell: Tell) -> Iterator[Encoded]:
    """As `batches`, of lists that are ours alone, of no more than an insert takes each."""
    checker = Checker(now, tell)
    for page in pages:
        yield from _encoded(*checker.points(page))


def _taken(point: Any) -> Any:
    return dict(point) if isinstance(point, Mapping) else point


def _chunks(points: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(points, DATAPOINT_INSERT_LIMIT)):
        yield chunk


def _encoded(points: list[Datapoint], is_flat: bool) -> Iterator[Encoded]:
    text = json_text.dumps(points)
    if len(text) <= INSERT_BYTES_LIMIT:
        yield Encoded(text, len(points), is_flat)
    elif len(points) > 1:
        half = len(points) // 2
        yield from _encoded(points[:half], is_flat)
        yield from _encoded(points[half:], is_flat)
    else:
        check_size(len(text))
        yield Encoded(text, 1, is_flat)


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
