"""Points as one NumPy array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import LocalProtocolError
from .columns import Columns
from .extras import library

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_numpy(columns: Columns) -> NDArray[Any]:
    """
    Return a structured array: ``array["t"]`` holds the times, ``array["d"]`` the values.

    If all values are objects, ``array["d"]["name"]`` holds the values of one key.

    Raises:
        LocalProtocolError: A key is empty, and a field of an array needs a name.
    """
    numpy = library("numpy", "to_numpy()")
    times, values = columns
    fields = values if isinstance(values, dict) else None
    if fields and "" in fields:
        raise LocalProtocolError(
            "there is a key '' in the values, and no field of an array has such a name; to_df() has columns"
        )
    kind: Any = [(key, column.dtype) for key, column in fields.items()] if fields else values.dtype  # type: ignore[union-attr]
    array: NDArray[Any] = numpy.empty(len(times), dtype=[("t", times.dtype), ("d", kind)])
    array["t"] = times
    if fields is None:
        array["d"] = values
    else:
        for key, column in fields.items():
            array["d"][key] = column
    return array
