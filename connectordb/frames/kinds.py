"""Collects what occurs among values, page by page, to choose the arrays for them; the table is in `columns`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from .extras import library

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INT64 = 2**63

#: The keys of objects that do not become columns: none at all, and ``d`` alone, which would look like the values themselves.
_NOT_SPREAD: tuple[set[str], ...] = (set(), {"d"})


class Kinds:
    """
    What occurs in one column.

    Attributes:
        types: The types of its values.
    """

    def __init__(self) -> None:
        self.types: set[type] = set()
        self._least = self._most = 0

    def see(self, values: Collection[Any]) -> None:
        """Note the types and the range of values."""
        types = set(map(type, values))
        self.types |= types
        if int in types:
            whole = values if len(types) == 1 else [value for value in values if type(value) is int]
            self._least, self._most = min(self._least, min(whole)), max(self._most, max(whole))

    def see_numbers(self, numbers: NDArray[Any]) -> None:
        """Do the same for an array of 64-bit integers or floats."""
        self.see([] if not len(numbers) else [numbers.min().item(), numbers.max().item()])

    @property
    def are_numbers(self) -> bool:
        """Whether all values are floats, or all are integers of 64 bits."""
        return self.types == {float} or self._are_int64

    @property
    def _are_int64(self) -> bool:
        return self.types == {int} and -_INT64 <= self._least and self._most < _INT64

    def array(self, values: Collection[Any]) -> NDArray[Any]:
        """Return an array of these values, of the narrowest type that holds all values that were seen."""
        numpy = library("numpy", "an array")
        dtype: Any = numpy.object_
        if self.types == {bool}:
            dtype = numpy.bool_
        elif self._are_int64:
            dtype = numpy.int64
        elif self._are_floats():
            dtype = numpy.float64
            if type(None) in self.types:
                values = [numpy.nan if value is None else value for value in values]
        array: NDArray[Any] = numpy.fromiter(values, dtype, len(values))
        return array

    def _are_floats(self) -> bool:
        if not self.types <= {int, float, type(None)} or self.types in ({int}, {type(None)}):
            return False
        try:
            float(self._least), float(self._most)
        except OverflowError:  # an integer that is larger than any float
            return False
        return True


class Shape:
    """Finds out whether values make one column, or one for each key of objects, and what occurs in each column."""

    def __init__(self) -> None:
        self._number = 0
        self._whole = Kinds()
        self._by_key: dict[str, Kinds] = {}
        self._numbers: dict[str, int] = {}

    def see(self, values: list[Any] | NDArray[Any]) -> None:
        """Note what occurs among values; an array contains only numbers."""
        self._number += len(values)
        if not isinstance(values, list):
            self._whole.see_numbers(values)
            return
        self._whole.see(values)
        if self._whole.types == {dict}:
            for key in _keys(values):
                try:
                    found = [value[key] for value in values]
                except KeyError:
                    found = [value[key] for value in values if key in value]
                self._by_key.setdefault(key, Kinds()).see(found)
                self._numbers[key] = self._numbers.get(key, 0) + len(found)

    @property
    def columns(self) -> dict[str, Kinds]:
        """What occurs in the column of each key, in the order in which they first occur; or in the only column, ``d``."""
        if self._whole.types != {dict} or not _are_columns(self._by_key.keys()):
            return {"d": self._whole}
        for key, kinds in self._by_key.items():
            if self._numbers[key] < self._number:
                kinds.see([None])
        return self._by_key

    def arrays(self, values: list[Any] | NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the columns of some of the values that were seen."""
        listed = values if isinstance(values, list) else values.tolist()
        if list(self.columns) == ["d"]:
            return {"d": self._whole.array(listed)}
        return {key: kinds.array([value.get(key) for value in listed]) for key, kinds in self.columns.items()}


def keys_of(values: list[Any]) -> list[str]:
    """Return the keys that become columns, in the order in which they first occur; none unless all values are objects."""
    if values and all(type(value) is dict for value in values):
        keys = _keys(values)
        if _are_columns(keys.keys()):
            return list(keys)
    return []


def _keys(values: Iterable[dict[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(key for value in values for key in value)


def _are_columns(keys: Collection[str]) -> bool:
    return "t" not in keys and keys not in _NOT_SPREAD
