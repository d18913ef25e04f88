"""
Points as columns: their times, and their values, as arrays that NumPy can compute with.

An array of values is as narrow as they allow:

=============================  =========================================================
values                         array
=============================  =========================================================
only ``true`` and ``false``    ``bool``
integers                       ``int64``; beyond 64 bits ``object``
numbers                        ``float64``; so are integers among which there is a null
only texts, or anything else   ``object``: the values themselves, null being ``None``
=============================  =========================================================

A null among numbers is NaN, and no other NaN is there: JSON has none. Where every value is an object there is an array for each
of their keys, by the same rules; a key that one of them lacks is null there. Objects with a key ``t``, and those with none but
``d``, stay whole: beside the times, or in a table, nobody could tell them from points.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import RemoteProtocolError
from ..protocol import json_text
from ..protocol.points import Datapoint, checked_times
from .extras import library
from .number_text import read_numbers
from .wire_columns import is_packed, unpack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INT64 = 2**63

#: The keys of objects that are not taken for columns: none, and one that would be taken for the values.
_NOT_SPREAD: tuple[set[str], ...] = (set(), {"d"})


class Columns(NamedTuple):
    """
    Points as columns.

    Attributes:
        times: Seconds since 1970, ``float64``.
        values: An array; or one for each key where all values are objects, in the order in which the keys first occur.
    """

    times: NDArray[np.float64]
    values: NDArray[Any] | dict[str, NDArray[Any]]

    @classmethod
    def of(cls, points: Iterable[Datapoint]) -> Columns:
        """
        Return the columns of points; one without a time is of 0, one without a value null.

        Raises:
            LocalProtocolError: The time of one is no number.
        """
        numpy = library("numpy", "an array")
        listed = list(points)
        times = numpy.fromiter(checked_times(listed), numpy.float64, len(listed))
        return cls(times, _values([point.get("d") for point in listed]))

    @classmethod
    def read(cls, texts: Iterable[bytes]) -> Columns:
        """
        Return the columns of the points that texts say, each an array in JSON, or columns; of numbers, without an object for each point.

        Raises:
            RemoteProtocolError: One is neither.
        """
        numpy = library("numpy", "an array")
        times: list[NDArray[np.float64]] = [numpy.empty(0)]
        pieces: list[NDArray[Any] | list[Any]] = []
        for text in texts:
            numbers = unpack(text) if is_packed(text) else read_numbers(text)
            if numbers is not None:
                times.append(numbers[0])
                pieces.append(numbers[1])
            elif listed := _listed(text):
                times.append(numpy.array([point.get("t", 0.0) for point in listed], dtype=numpy.float64))
                pieces.append([point.get("d") for point in listed])
        if pieces and not any(isinstance(piece, list) for piece in pieces):
            values = numpy.concatenate(pieces)
        else:
            values = _values(
                [value for piece in pieces for value in (piece if isinstance(piece, list) else piece.tolist())]
            )
        return cls(numpy.concatenate(times), values)


def _listed(text: bytes) -> list[Any]:
    try:
        listed: list[Any] = json_text.loads(text)
    except ValueError as error:
        raise RemoteProtocolError(f"the answer is no array of points: {error}") from error
    return listed


def keys_of(values: list[Any]) -> list[str]:
    """Return the keys that are columns, in the order in which they first occur; none where not all values are objects."""
    if values and all(type(value) is dict for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        if "t" not in keys and keys.keys() not in _NOT_SPREAD:
            return list(keys)
    return []


def _values(values: list[Any]) -> NDArray[Any] | dict[str, NDArray[Any]]:
    if keys := keys_of(values):
        return {key: _array([value.get(key) for value in values]) for key in keys}
    return _array(values)


def _array(values: list[Any]) -> NDArray[Any]:
    """Return the narrowest array that holds all values as they are."""
    numpy = library("numpy", "an array")
    kinds = set(map(type, values))
    dtype: Any = numpy.object_
    if kinds == {bool}:
        dtype = numpy.bool_
    elif kinds == {int} and -_INT64 <= min(values) and max(values) < _INT64:
        dtype = numpy.int64
    elif kinds <= {int, float, type(None)} and kinds not in ({int}, {type(None)}):
        with suppress(OverflowError):  # an integer beyond every float stays one
            return numpy.fromiter(  # type: ignore[no-any-return]
                (numpy.nan if value is None else value for value in values), numpy.float64, len(values)
            )
    array: NDArray[Any] = numpy.fromiter(values, dtype, len(values))
    return array
