"""What is drawn: times and values of one kind, with a name and a unit."""

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

#: Times for which Python has a calendar, with some room to the left and right of them.
_FIRST, _LAST = -62_000_000_000, 253_000_000_000

#: Which part of the values is all but some: a text among a thousand numbers, as sensors send that fail, is a gap in their line.
_NEARLY = 0.9


class Kind(Enum):
    """What picture values ask for."""

    NUMBERS = "numbers"
    BOOLEANS = "booleans"
    TEXTS = "texts"


class Series(NamedTuple):
    """
    What becomes a line, steps, or rows of bars.

    Attributes:
        name: What it is called, without control characters; may be empty.
        unit: What its numbers count, as ``"°C"``, likewise.
        kind: What picture it asks for.
        times: Seconds since 1970, in order.
        values: Numbers, of booleans 0 and 1, where null is NaN; or texts, where null is ``None``.
    """

    name: str
    unit: str
    kind: Kind
    times: array[float]
    values: array[float] | list[str | None]

    @property
    def numbers(self) -> array[float]:
        """The values of numbers or booleans."""
        assert isinstance(self.values, array)
        return self.values

    @property
    def texts(self) -> list[str | None]:
        """The values of texts."""
        assert isinstance(self.values, list)
        return self.values


def of_points(points: Iterable[Datapoint], name: str = "", schema: Any = None) -> list[Series]:
    """
    Return what is drawn of points: a series, or one for each key where all values are objects.

    Args:
        points: Datapoints; one without a time is of 0, one without a value null.
        name: What they are called.
        schema: Their JSON Schema, if it is known; ``unit`` in it, or in a property's, is the unit.
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
    """Return what is drawn of columns, as `of_points` does of points."""
    times, values = columns
    in_order = bool((times[1:] >= times[:-1]).all())
    by_key: Mapping[str, Any] = values if isinstance(values, dict) else {"": values}
    if not isinstance(values, dict) and values.dtype == object:
        by_key = _by_key(values.tolist())
    return _series(array("d", times.tobytes()), in_order, by_key, name, schema)


def _by_key(values: list[Any]) -> dict[str, list[Any]]:
    """Return what objects hold under each of their keys; a null among them is one without any."""
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
    """Return series that stand below a title, so that their names need not begin with it."""
    return [each._replace(name=re.sub(f"^{re.escape(title)}[ /]", "", each.name)) for each in series]


def _unit(schema: Any, key: str) -> str:
    if key:
        schema = schema.get("properties") if isinstance(schema, dict) else None
        schema = schema.get(key) if isinstance(schema, dict) else None
    unit = schema.get("unit") if isinstance(schema, dict) else None
    return unit if isinstance(unit, str) else ""


def _of_a_kind(values: Any) -> tuple[Kind, array[float] | list[str | None], int]:
    """Return what values are, if nearly all are of a kind, the values as that, and how many are not and left out; else they are texts."""
    code = values.dtype.kind if hasattr(values, "dtype") else "O"
    if code != "O":  # an array of NumPy whose values are all of a kind
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
    except OverflowError:  # an integer beyond every float
        return nan


def _json(value: Any) -> str:
    try:
        return json_text.dumps(value).decode()
    except (TypeError, ValueError):  # what somebody made that no server has
        return repr(value)
