"""
Points as columns on the wire: an Arrow stream with a time and a number for each point, and nothing else.

A client asks for it with ``Accept: application/vnd.apache.arrow.stream`` (``docs/topics/beyond_0_3.rst``, "Columns"). If not all values
are numbers, the answer is JSON as usual.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from ..exceptions import RemoteProtocolError
from ..protocol.constants import COLUMNS_MARK
from ..protocol.number_columns import is_quick
from .extras import library
from .number_text import Numbers

#: The numbers of two fields: the header of an Arrow message, and in the header of a batch of rows its compression.
_HEADER, _COMPRESSION = 2, 3


@lru_cache(maxsize=1)
def is_installed() -> bool:
    """Tell whether points can be packed here."""
    return is_quick() and all(find_spec(name) is not None for name in ("numpy", "pyarrow"))


def are_wanted() -> bool:
    """
    Tell whether to ask for columns: only if msgspec, which decodes JSON as fast, is missing, and Arrow is loaded already.

    With msgspec, making columns would only burden the server, which is often the weaker machine, or has other clients. And loading
    Arrow would take longer than is saved.
    """
    return not is_quick() and "pyarrow" in sys.modules


def pack(pieces: Sequence[Numbers]) -> bytes:
    """Return consecutive points, at least one piece, as an Arrow stream: a batch for each piece, of the type that holds all values."""
    numpy, arrow = library("numpy", "an array"), library("pyarrow", "columns on the wire")
    kind = numpy.result_type(*[piece.values.dtype for piece in pieces])
    schema = _schema(arrow.from_numpy_dtype(kind))
    sink = arrow.BufferOutputStream()
    with library("pyarrow.ipc", "columns on the wire").new_stream(sink, schema) as writer:
        for times, values in pieces:
            columns = [_column(arrow, each) for each in (times, values.astype(kind))]
            writer.write_batch(arrow.RecordBatch.from_arrays(columns, schema=schema))
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _column(arrow: Any, values: Any) -> Any:
    # of its buffer: `pyarrow.array` loads pandas where that is installed, and the first client that asks would wait for it
    buffer = arrow.py_buffer(values)
    return arrow.Array.from_buffers(arrow.from_numpy_dtype(values.dtype), len(values), [None, buffer])


def is_packed(body: bytes) -> bool:
    """Tell whether a body contains columns, and not text."""
    return body.startswith(COLUMNS_MARK)


def unpack(body: bytes) -> Numbers:
    """
    Return the points of an Arrow stream.

    It may come from anybody, so it is checked, and must not need more memory than *body* itself.

    Raises:
        RemoteProtocolError: It is no Arrow stream, is compressed in itself, or does not have the right columns.
    """
    arrow, ipc = library("pyarrow", "columns on the wire"), library("pyarrow.ipc", "columns on the wire")
    numpy = library("numpy", "an array")
    pieces = [Numbers(numpy.empty(0), numpy.empty(0, numpy.int64))]
    try:
        reader = ipc.MessageReader.open_stream(body)
        first, *others = iter(reader.read_next_message, None)
        schema = ipc.read_schema(first)
        if schema not in (_schema(arrow.float64()), _schema(arrow.int64())):
            raise RemoteProtocolError(f"the answer has the columns {str(schema)!r:.200}")
        for message in others:
            if message.type != "record batch" or _is_compressed(message.metadata.to_pybytes()):
                raise RemoteProtocolError(f"the answer has a {message.type} that is compressed, or is no batch of rows")
            batch = ipc.read_record_batch(message, schema)
            batch.validate(full=True)
            if any(column.null_count for column in batch.columns):
                raise RemoteProtocolError("the answer has a null among its numbers")
            pieces.append(Numbers(*(column.to_numpy() for column in batch.columns)))
    except (arrow.ArrowException, ValueError, struct.error, OSError) as error:
        raise RemoteProtocolError(f"the answer is no stream of Arrow: {error}") from error
    whole = Numbers(*map(numpy.concatenate, zip(*(pieces[1:] or pieces), strict=True)))
    if not all(numpy.isfinite(column).all() for column in whole):
        raise RemoteProtocolError("the answer has a number that is infinite or NaN: JSON has no NaN")
    return whole


def _schema(kind: Any) -> Any:
    arrow = library("pyarrow", "columns on the wire")
    return arrow.schema([arrow.field("t", arrow.float64(), nullable=False), arrow.field("d", kind, nullable=False)])


def _is_compressed(message: bytes) -> bool:
    """Tell whether the rows of a message are compressed: then Arrow would allocate whatever size the message claims."""
    (root,) = struct.unpack_from("<I", message)
    header = _place(message, root, _HEADER)
    (offset,) = struct.unpack_from("<I", message, header)
    return _place(message, header + offset, _COMPRESSION) != 0


def _place(message: bytes, table: int, number: int) -> int:
    """Return the position of field *number* in a FlatBuffers *table*; 0 if the field is missing."""
    (back,) = struct.unpack_from("<i", message, table)
    names = table - back
    (size,) = struct.unpack_from("<H", message, names)
    if 4 + 2 * number >= size:
        return 0
    (offset,) = struct.unpack_from("<H", message, names + 4 + 2 * number)
    return table + int(offset) if offset else 0
