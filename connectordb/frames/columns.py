"""
Points as columns: their times, and their values, as NumPy arrays.

The values determine the type of their array:

=============================  =========================================================
values                         array
=============================  =========================================================
only ``true`` and ``false``    ``bool``
integers                       ``int64``; beyond 64 bits ``object``
numbers                        ``float64``; so are integers among which there is a null
only texts, or anything else   ``object``: the values themselves, null being ``None``
=============================  =========================================================

A null among numbers is NaN, and every NaN is a null, as JSON has no NaN. If all values are objects, there is an array for each of
their keys, by the same rules; a key that one of them lacks is null there. Objects with a key ``t``, and those with no key but ``d``, are
kept whole, as their columns could not be told from those of the points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import RemoteProtocolError
from ..protocol import json_text
from ..protocol.points import Datapoint, checked_times
from .extras import library
from .kinds import Kinds, Shape
from .number_text import read_numbers
from .wire_columns import is_packed, unpack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Times and values of consecutive points; the values are an array if all are numbers, otherwise a list.
Piece = tuple["NDArray[np.float64]", "list[Any] | NDArray[Any]"]

#: The number of points in a piece.
_PIECE = 50_000


class Columns(NamedTuple):
    """
    Points as columns.

    Attributes:
        times: Seconds since 1970, ``float64``.
        values: An array; or, if all values are objects, one for each key, in the order in which the keys first occur.
    """

    times: NDArray[np.float64]
    values: NDArray[Any] | dict[str, NDArray[Any]]

    @classmethod
    def of(cls, points: Iterable[Datapoint]) -> Columns:
        """
        Return the columns of points. A missing time is 0, a missing value null.

        Raises:
            LocalProtocolError: A time is no number.
        """
        return cls.join(pieces_of(points))

    @classmethod
    def join(cls, pieces: Iterable[Piece]) -> Columns:
        """Return the columns of all points in consecutive pieces."""
        numpy = library("numpy", "an array")
        all_times: list[NDArray[np.float64]] = [numpy.empty(0)]
        all_values: list[list[Any] | NDArray[Any]] = []
        for times, values in pieces:
            all_times.append(times)
            all_values.append(values)
        if all_values and not any(isinstance(values, list) for values in all_values):
            return cls(numpy.concatenate(all_times), numpy.concatenate(all_values))
        listed = [value for values in all_values for value in (values if isinstance(values, list) else values.tolist())]
        shape = Shape()
        shape.see(listed)
        found = shape.arrays(listed)
        return cls(numpy.concatenate(all_times), found["d"] if list(found) == ["d"] else found)


def pieces_of(points: Iterable[Datapoint]) -> Iterator[Piece]:
    """
    Yield any number of points in pieces, at least one piece. A missing time is 0, a missing value null.

    Raises:
        LocalProtocolError: A time is no number.
    """
    numpy = library("numpy", "an array")
    coming = iter(points)
    for first in count(step=_PIECE):
        listed = list(islice(coming, _PIECE))
        times = numpy.fromiter(checked_times(listed, first), numpy.float64, len(listed))
        values, kinds = [point.get("d") for point in listed], Kinds()
        kinds.see(values)
        yield times, kinds.array(values) if kinds.are_numbers else values
        if len(listed) < _PIECE:
            return


def read_pieces(texts: Iterable[bytes | list[Datapoint]]) -> Iterator[Piece]:
    """
    Yield the points in texts, each a JSON array or packed columns, or a list that was read already, as pieces.

    Numbers need no Python object for each point.

    Raises:
        RemoteProtocolError: A text is neither.
    """
    numpy = library("numpy", "an array")
    for text in texts:
        if isinstance(text, list):
            listed = text
        else:
            numbers = unpack(text) if is_packed(text) else read_numbers(text)
            if numbers is not None:
                yield numbers.times, numbers.values
                continue
            listed = _listed(text)
        if listed:
            times = numpy.array([point.get("t", 0.0) for point in listed], dtype=numpy.float64)
            yield times, [point.get("d") for point in listed]


def _listed(text: bytes) -> list[Any]:
    try:
        listed: list[Any] = json_text.loads(text)
    except ValueError as error:
        raise RemoteProtocolError(f"the answer is no array of points: {error}") from error
    return listed
