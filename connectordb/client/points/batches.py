"""
Checks points that are to be inserted, and divides them into batches that a server accepts; pure.

Most inserts consist of many similar points, each a time and a number or text. These are checked column by column, which is several
times faster than point by point. If anything about a batch is unusual, if only a single point, `Checker.point` looks at each point,
and can say which one is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
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
_PLAIN = _FLAT | _OBJECTS | _LISTS

#: The most keys of objects, or elements of a list on average, that are checked as columns.
_MOST_COLUMNS = 50


class Checker:
    """
    Checks the points of one call, batch after batch; none may be older than the one before it.

    Args:
        now: The time of points that have none, in seconds since 1970.
        tell: Called with a text about the first doubtful point.
    """

    def __init__(self, now: float, tell: Tell) -> None:
        self._now = now
        self._tell = Once(tell)
        self._last = -math.inf
        self._number = 0

    def points(self, given: list[Any]) -> tuple[list[Datapoint], bool]:
        """
        Return points in the form in which they are sent, and whether all values are flat, neither lists nor objects.

        Raises:
            LocalProtocolError: Something is no datapoint, or a point is older than the one before it.
        """
        kinds = self._kinds(given)
        if kinds is not None:
            return given, kinds <= _FLAT
        checked = [self.point(point) for point in given]
        return checked, _FLAT.issuperset([type(point["d"]) for point in checked])

    def _kinds(self, given: list[Any]) -> set[type] | None:
        """Check all points at once; return the types of their values if all can be sent as they are, or ``None``."""
        if not _OBJECTS.issuperset(map(type, given)):
            return None
        try:
            times, values = [point["t"] for point in given], [point["d"] for point in given]
        except KeyError:
            return None
        # each point has the two keys, so if there are two on average, none has others
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
        except OverflowError:  # an integer that is too large for a float
            return False
        # 0 is excluded as it means "now" to a server; sorting what is in order is faster than comparing neighbours
        in_bounds = finite and 0 < times[0] and self._last <= times[0] and times[-1] < LATE
        return in_bounds and sorted(times) == times

    def point(self, given: Any) -> Datapoint:
        """
        Return a point in the form in which it is sent.

        Raises:
            LocalProtocolError: It is no datapoint, or is older than the one before it.
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
        # to a server 0 means "now"
        return time or self._now


def _are_values(values: Sequence[Any], kinds: set[type]) -> bool:
    """Tell whether JSON can express these values, and a server keeps them unchanged; check them one by one only in doubt."""
    return _are_plain(values, kinds, json_text.MAX_DEPTH) or all(map(_is_kept, values))


def _are_plain(values: Sequence[Any], kinds: set[type], depth: int) -> bool:
    """Tell whether these values could be checked together, column by column, and have passed."""
    if kinds <= _FLAT:
        return _are_flat(values, kinds)
    if not (kinds <= _PLAIN and depth):
        return False
    if kinds & _FLAT and not _are_flat([value for value in values if type(value) in _FLAT], kinds & _FLAT):
        return False
    columns = _columns(values, kinds)
    return columns is not None and all(_are_plain(column, set(map(type, column)), depth - 1) for column in columns)


def _are_flat(values: Sequence[Any], kinds: set[type]) -> bool:
    if float in kinds:
        floats = values if kinds <= _NUMBERS else [value for value in values if type(value) is float]
        try:
            if not math.isfinite(sum(floats)):
                return False  # one of them is not finite, or their sum overflows
        except OverflowError:
            return False
    if int in kinds:
        whole = [value for value in values if type(value) is int]
        if not (-EXACT <= min(whole) and max(whole) <= EXACT):
            return False
    return str not in kinds or json_text.is_unicode("".join([value for value in values if type(value) is str]))


def _columns(values: Sequence[Any], kinds: set[type]) -> list[Sequence[Any]] | None:
    """Return what the objects among the values hold under each key, and what the lists hold; ``None`` if that is too much."""
    columns: list[Sequence[Any]] = []
    if kinds & _LISTS:
        lists = [value for value in values if type(value) in _LISTS]
        if sum(map(len, lists)) > _MOST_COLUMNS * len(lists):
            return None
        columns.append(list(chain.from_iterable(lists)))
    if dict in kinds:
        objects = values if kinds <= _OBJECTS else [value for value in values if type(value) is dict]
        keys = set().union(*objects)
        if len(keys) > _MOST_COLUMNS or not all(type(key) is str and json_text.is_unicode(key) for key in keys):
            return None
        if sum(map(len, objects)) == len(keys) * len(objects):  # each has them all
            columns += [[value[key] for value in objects] for key in keys]
        else:
            columns += [[value[key] for value in objects if key in value] for key in keys]
    return columns


def _is_kept(value: Any) -> bool:
    try:
        return json_text.checked(value) is value and not of_value(value)
    except LocalProtocolError:
        return False


def batches(points: Iterable[Any], now: float, tell: Tell) -> Iterator[Encoded]:
    """
    Yield *points* in batches that a server accepts. A sequence is checked as a whole first, anything else batch by batch.

    Args:
        points: What the user passed.
        now: As for `Checker`.
        tell: As for `Checker`.

    Raises:
        LocalProtocolError: Something is no datapoint, or a point is too large or out of order.
    """
    checker = Checker(now, tell)
    if isinstance(points, Sequence) and not isinstance(points, (str, bytes)):
        yield from [batch for chunk in _chunks(iter(points)) for batch in _encoded(*checker.points(chunk))]
    elif isinstance(points, Iterable) and not isinstance(points, (str, bytes, Mapping)):
        # copied at once, as an iterator may yield the same dict again and again, with other content
        taken = (point.copy() if type(point) is dict else _taken(point) for point in points)
        for chunk in _chunks(taken):
            yield from _encoded(*checker.points(chunk))
    else:
        raise LocalProtocolError(f"{_shown(points)} is no list of datapoints: expected [{{'t': …, 'd': …}}, …]")


def batches_of_pages(pages: Iterable[list[Any]], now: float, tell: Tell) -> Iterator[Encoded]:
    """As `batches`, for lists that nobody else changes, none longer than one insert may be."""
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
    Refuse a single point that is too large for any request.

    Raises:
        LocalProtocolError: It is.
    """
    if size > REQUEST_BYTES_LIMIT - _BRACKETS:
        raise LocalProtocolError(
            f"a datapoint of {size:,} bytes: a server takes requests of {REQUEST_BYTES_LIMIT:,} bytes at most"
        )


def _shown(value: object) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:60] + '…'} ({type(value).__name__})"
