"""`Series`: what can be drawn: times, values of one kind, a name and a unit."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import islice
from math import nan
from numbers import Real
from operator import le
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import LocalProtocolError
from ..frames.kinds import keys_of
from ..plain_text import plain
from ..protocol import json_text
from ..protocol.points import Datapoint

if TYPE_CHECKING:
    from ..frames import Columns

#: The first and last time, in seconds, that are in Python's calendar with some room for margins.
_FIRST, _LAST = -62_000_000_000, 253_000_000_000

#: If at least this part of the values is of a kind, the others are drawn as gaps: a failing sensor may send some text among numbers.
_NEARLY = 0.9


class Kind(Enum):
    """The kind of picture that fits the values."""

    NUMBERS = "numbers"
    BOOLEANS = "booleans"
    TEXTS = "texts"


class Series(NamedTuple):
    """
    Points that become a line, steps, or rows of bars.

    Attributes:
        name: Its name, without control characters; may be empty.
        unit: The unit of its numbers, such as ``"°C"``; likewise.
        kind: The kind of picture.
        times: Seconds since 1970, in order.
        values: Numbers, with 0 and 1 for booleans and NaN for null; or texts, with ``None`` for null.
    """

    name: str
    unit: str
    kind: Kind
    times: array[float]
    values: array[float] | list[str | None]

    @property
    def numbers(self) -> array[float]:
        """The values of a series of numbers or booleans."""
        assert isinstance(self.values, array)
        return self.values

    @property
    def texts(self) -> list[str | None]:
        """The values of a series of texts."""
        assert isinstance(self.values, list)
        return self.values


def of_points(points: Iterable[Datapoint], name: str = "", schema: Any = None) -> list[Series]:
    """
    Return the series of points: one, or one for each key if all values are objects.

    Args:
        points: Datapoints; a missing time is 0, a missing value null.
        name: The name of the series.
        schema: The JSON Schema of the values, if it is known; its ``unit``, or that of a property, is the unit of the series.
    """
    times, values = array("d"), []
    for point in points:
        t = point.get("t", 0.0)
        try:
            times.append(t)
        except (TypeError, OverflowError) as error:
            raise LocalProtocolError(f"datapoint {len(times)} has t={t!r:.60}: expected seconds since 1970") from error
        values.append(point.get("d"))
    in_order = all(map(le, times, islice(times, 1, None)))
    return _series(times, in_order, _by_key(values), name, schema)


def of_columns(columns: Columns, name: str = "", schema: Any = None) -> list[Series]:
    """Return the series of columns, as `of_points` does for points."""
    times, values = columns
    in_order = bool((times[1:] >= times[:-1]).all())
    by_key: Mapping[str, Any] = values if isinstance(values, dict) else {"": values}
    if not isinstance(values, dict) and values.dtype == object:
        by_key = _by_key(values.tolist())
    return _series(array("d", times.tobytes()), in_order, by_key, name, schema)


def _by_key(values: list[Any]) -> dict[str, list[Any]]:
    """Return the values of each key if all values are objects (a null counts as an empty one); otherwise all of them as ``""``."""
    if set(map(type, values)) == {dict, type(None)}:
        values = [{} if value is None else value for value in values]
    keys = keys_of(values)
    return {key: [value.get(key) for value in values] for key in keys} if keys else {"": values}


def _series(times: array[float], in_order: bool, by_key: Mapping[str, Any], name: str, schema: Any) -> list[Series]:
    order = None
    if not in_order:
        order = sorted(range(len(times)), key=times.__getitem__)
        times = array("d", (times[index] for index in order))
    if times and not (_FIRST <= times[0] and times[-1] <= _LAST):
        odd = times[0] if times[0] < _FIRST else times[-1]
        raise LocalProtocolError(f"t={odd!r} is in no calendar, which goes from the year 1 to 9999")
    found = []
    for key, values in by_key.items():
        kind, alike, others = _of_a_kind(values)
        if order is not None:
            picked = (alike[index] for index in order)
            alike = array("d", picked) if isinstance(alike, array) else list(picked)  # type: ignore[arg-type]
        label = f"{name} {key}".strip() if key else name
        if others:
            label = f"{label} ({others:,} of another kind)".strip()
        found.append(Series(plain(label), plain(_unit(schema, key)), kind, times, alike))
    return found


def below(title: str, series: Iterable[Series]) -> list[Series]:
    """Return series with shorter names for a picture with a *title*: without the title, if they begin with it."""
    return [each._replace(name=re.sub(f"^{re.escape(title)}[ /]", "", each.name)) for each in series]


def _unit(schema: Any, key: str) -> str:
    if key:
        schema = schema.get("properties") if isinstance(schema, dict) else None
        schema = schema.get(key) if isinstance(schema, dict) else None
    unit = schema.get("unit") if isinstance(schema, dict) else None
    return unit if isinstance(unit, str) else ""


def _of_a_kind(values: Any) -> tuple[Kind, array[float] | list[str | None], int]:
    """
    Return the kind of picture for values, the values in the form that it needs, and how many are of another kind and left out.

    Unless nearly all are numbers, or nearly all booleans, they are texts, and none is left out.
    """
    code = values.dtype.kind if hasattr(values, "dtype") else "O"
    if code != "O":  # a NumPy array of booleans or numbers
        return Kind.BOOLEANS if code == "b" else Kind.NUMBERS, array("d", values.astype("f8").tobytes()), 0
    listed: list[Any] = list(values)
    counts = Counter(map(type, listed))
    known = len(listed) - counts.pop(type(None), 0)
    numbers = {kind for kind in counts if kind is not bool and issubclass(kind, Real)}
    for kind, types in (Kind.NUMBERS, numbers), (Kind.BOOLEANS, {bool}):
        count = sum(counts[each] for each in types)
        if count >= known * _NEARLY:
            return (
                kind,
                array("d", [_number(value) if type(value) in types else nan for value in listed]),
                known - count,
            )
    return Kind.TEXTS, [value if value is None or isinstance(value, str) else _json(value) for value in listed], 0


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer larger than any float
        return nan


def _json(value: Any) -> str:
    try:
        return json_text.dumps(value).decode()
    except (TypeError, ValueError):  # a value that is not from a server
        return repr(value)
