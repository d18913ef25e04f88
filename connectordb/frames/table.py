"""Points as an Arrow table and as a Parquet file, and back."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Iterator
from itertools import chain
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

from ..exceptions import LocalProtocolError
from ..protocol import json_text
from ..protocol.points import Datapoint
from ..runtime.durable import replacing
from .columns import Columns, Piece
from .extras import library
from .instants import to_nanoseconds, to_seconds
from .kinds import Shape

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

#: The metadata of a column of texts, if each text is JSON.
_AS_JSON = {b"connectordb": b"json"}


def to_arrow(columns: Columns) -> pa.Table:
    """
    Return a table: ``t`` holds the times in UTC, ``d`` the values; if all values are objects, there is a column for each key instead.

    Booleans, numbers and texts have columns of their type, in which a null is a null. Anything else, or several types in one column,
    is written as JSON text, and the column's metadata say so.
    """
    times, values = columns
    by_name = values if isinstance(values, dict) else {"d": values}
    return _table(times, {name: (column, set(map(type, column.tolist()))) for name, column in by_name.items()})


def _table(times: NDArray[Any], columns: dict[str, tuple[NDArray[Any], set[type]]]) -> pa.Table:
    """Return a table of times and columns; the set with each column has the types that may occur in it."""
    arrow = library("pyarrow", "to_arrow()")
    instants = arrow.array(to_nanoseconds(times), type=arrow.timestamp("ns", tz="UTC"))
    fields, found = [arrow.field("t", instants.type, nullable=False)], [instants]
    for name, (column, types) in columns.items():
        array, metadata = _array(column, types)
        fields.append(arrow.field(name, array.type, metadata=metadata))
        found.append(array)
    table: pa.Table = arrow.Table.from_arrays(found, schema=arrow.schema(fields))
    return table


def from_arrow(table: pa.Table) -> Iterator[Datapoint]:
    """
    Yield the points of a table: times are in the column ``t``, as instants or seconds; values in ``d``, or else objects of all others.

    Raises:
        LocalProtocolError: It has no such columns.
    """
    names = list(table.schema.names)
    if names.count("t") != 1 or len(names) < 2:
        raise LocalProtocolError(
            f"the columns {names!r:.100} have to be 't', the times, and 'd', the values, or others"
        )
    for batch in table.to_batches():
        times = _seconds(batch.column("t"))
        columns = {
            name: _values(batch.column(name), batch.schema.field(name).metadata) for name in names if name != "t"
        }
        if list(columns) != ["d"]:
            rows = [
                {name: value for name, value in zip(columns, row, strict=True) if value is not None}
                for row in zip(*columns.values(), strict=True)
            ]
        else:
            rows = columns["d"]
        for t, d in zip(times, rows, strict=True):
            yield {"t": t, "d": d}


def write_parquet(pieces: Iterable[Piece], file: str | os.PathLike[str]) -> None:
    """
    Write points to a Parquet file with the columns of `to_arrow`. If that fails, a file that was there before is unchanged.

    There is no more than one piece in memory. The type of a column is known only after the last point, so all pieces go through a
    temporary file.
    """
    parquet, shape = library("pyarrow.parquet", "to_parquet()"), Shape()
    with replacing(file) as opened, TemporaryFile(dir=_folder(opened)) as kept:
        ends = []
        for piece in pieces:
            shape.see(piece[1])
            pickle.dump(piece, kept)
            ends.append(kept.tell())
        kept.seek(0)
        tables = (_of_piece(pickle.load(kept), shape) for _ in ends)
        first = next(tables, None) or to_arrow(Columns.of([]))
        with parquet.ParquetWriter(opened, first.schema) as writer:
            for table in chain([first], tables):
                writer.write_table(table)


def _folder(file: BinaryIO) -> str | None:
    """Return the folder of a file on disk, for the temporary file: the usual place for those may be in memory."""
    return os.path.dirname(file.name) if os.path.isfile(file.name) else None


def _of_piece(piece: Piece, shape: Shape) -> pa.Table:
    times, values = piece
    found = shape.arrays(values)
    return _table(times, {name: (found[name], kinds.types) for name, kinds in shape.columns.items()})


def read_parquet(file: str | os.PathLike[str]) -> Iterator[Datapoint]:
    """
    Yield the points of a Parquet file, with a part of it in memory at a time.

    Raises:
        LocalProtocolError: It is no Parquet file, or does not have the columns that `from_arrow` expects.
    """
    arrow, parquet = library("pyarrow", "from_parquet()"), library("pyarrow.parquet", "from_parquet()")
    try:
        whole = parquet.ParquetFile(os.fspath(file))
    except arrow.ArrowInvalid as error:
        raise LocalProtocolError(f"{os.fspath(file)!r} is no Parquet file: {error}") from error
    with whole as opened:
        for batch in opened.iter_batches():
            yield from from_arrow(arrow.Table.from_batches([batch]))


def _array(column: NDArray[Any], types: set[type]) -> tuple[Any, dict[bytes, bytes] | None]:
    """Return a column, in which values of these types may occur, as an Arrow array; and its metadata, if any."""
    arrow = library("pyarrow", "to_arrow()")
    if column.dtype != object:
        return arrow.array(column, from_pandas=True), None  # NaN is a null
    values, kinds = column.tolist(), types - {type(None)}
    if not kinds:
        return arrow.nulls(len(values)), None
    try:
        if len(kinds) == 1 and kinds <= {str, bool}:
            return arrow.array(values, type=arrow.string() if kinds == {str} else arrow.bool_()), None
        return _as_json(values)
    except (TypeError, ValueError):
        return _as_json(json_text.checked(values))  # raises an error that says which value cannot be JSON


def _as_json(values: list[Any]) -> tuple[Any, dict[bytes, bytes]]:
    arrow = library("pyarrow", "to_arrow()")
    texts = [None if value is None else json_text.dumps(value).decode() for value in values]
    return arrow.array(texts, type=arrow.string()), _AS_JSON


def _values(array: Any, metadata: Any) -> list[Any]:
    values: list[Any] = array.to_pylist()
    if (metadata or {}).get(b"connectordb") == b"json":
        return [None if value is None else json_text.loads(value) for value in values]
    return values


def _seconds(array: Any) -> list[float]:
    arrow = library("pyarrow", "from_arrow()")
    if array.null_count:
        raise LocalProtocolError("a row of the table has no time")
    if arrow.types.is_timestamp(array.type):
        if array.type.tz is None:
            raise LocalProtocolError(
                "the table's times have no time zone; cast the column 't' to one, as timestamp('us', 'UTC')"
            )
        counts = array.cast(arrow.int64()).to_numpy(zero_copy_only=False)
        seconds: list[float] = to_seconds(counts, array.type.unit).tolist()
        return seconds
    if arrow.types.is_floating(array.type) or arrow.types.is_integer(array.type):
        found: list[float] = array.to_numpy(zero_copy_only=False).astype("f8").tolist()
        return found
    raise LocalProtocolError(f"the column 't' holds {array.type}, and no times")
