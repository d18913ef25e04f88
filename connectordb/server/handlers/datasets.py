"""The body of ``POST query/dataset``: what it asks for, and what is refused (``docs/topics/wire.rst``, "Datasets")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ...pipescript import INTERPOLATORS, Point, Script, merge, tdataset, xdataset
from ..storage import Reader
from .request import Refusal, Request
from .scripts import Pending, Scripts
from .sources import Source
from .stream_queries import StreamQuery, keys_of, number, open_source, stream_queries, stream_query, typed

#: The smallest step of a dataset by time, and the most rows.
_MIN_STEP = 0.001
_MOST_ROWS = 10_000_000

#: The column of the reference points in a dataset by points.
_REFERENCE = "x"


def open_dataset(
    reader: Reader, request: Request, scripts: Scripts
) -> tuple[Iterator[Point], list[Source], list[Source]]:
    """
    Return the rows that a request asks for, all sources that they are read from, and those of these sources that are columns.

    Raises:
        Refusal: The body is not valid, or asks for something that is not there or not allowed.
    """
    body = request.json()
    keys = {} if body is None else keys_of(body, "an object with 'dataset'")
    columns = typed(keys, "dataset", dict, {})
    if not columns:
        raise Refusal(403, "The dataset query must have a dataset!")
    posttransform = scripts.add(typed(keys, "posttransform", str, ""))
    asked = {name: _column(request, column, scripts) for name, column in columns.items()}
    t1, t2, dt = (number(keys, name) for name in ("t1", "t2", "dt"))
    reference = _reference(keys, request.limits.merged_streams)
    if reference:
        if dt:
            raise Refusal(403, "Dataset must be either time or stream based. Not both.")
        if _REFERENCE in columns:
            raise Refusal(403, f"Dataset already contains field of name '{_REFERENCE}'")
    else:
        _check_times(keys, t1, t2, dt)
    streams = len(reference) + sum(len(column.queries) for column in asked.values())
    most = request.limits.dataset_streams  # a part of each stream is held in memory
    if streams > most:
        raise Refusal(403, f"A dataset of {streams} streams is too large: at most {most} are possible.")
    # the reference stream has a range of its own; without one, all of it is read, as for any query
    heads = [open_source(reader, request, query, scripts) for query in reference]
    opened = {
        name: [open_source(reader, request, query, scripts, t1) for query in asked[name].queries] for name in asked
    }

    def lined_up() -> Iterator[Point]:  # called after the interpolators have been compiled
        made = {name: (merge(*sources), asked[name].made()) for name, sources in opened.items()}
        return xdataset(merge(*heads), made, _REFERENCE) if reference else tdataset(t1, t2, dt, made)

    rows: Iterator[Point] = chain.from_iterable(made() for made in (lined_up,))
    if posttransform is not None:
        needed = [name for name, column in asked.items() if not column.allows_null]
        rows = posttransform(row for row in rows if all(row["d"][name] is not None for name in needed))
    columns_sources = [source for sources in opened.values() for source in sources]
    return rows, [*heads, *columns_sources], columns_sources


def _reference(keys: Mapping[str, Any], most: int) -> list[StreamQuery]:
    """Return the streams at whose times there are rows; none for rows at regular times."""
    stream, merged = typed(keys, "stream", str, ""), typed(keys, "merge", list, [])
    if stream and merged:
        raise Refusal(403, "Dataset can't be based both on a stream and on a merge!")
    if merged:
        return stream_queries(merged, most)
    return [stream_query(keys)] if stream else []


def _check_times(keys: Mapping[str, Any], t1: float, t2: float, dt: float) -> None:
    i1, i2, _ = (typed(keys, name, int, 0) for name in ("i1", "i2", "limit"))
    if i1 or i2 or not (t1 >= 0 and t2 >= t1 + dt):
        raise Refusal(403, "Tdataset range invalid")
    if dt < _MIN_STEP or (t2 - t1) / dt > _MOST_ROWS or not t1 + dt > t1:
        raise Refusal(
            403,
            f"To avoid abuse, Tdataset is limited to a max of {_MOST_ROWS} datapoints with min dt {_MIN_STEP:f}",
        )


@dataclass(frozen=True, slots=True)
class _Column:
    """
    A column of a dataset.

    Attributes:
        queries: The streams that are merged into it.
        interpolator: How a value for each row is made from their points.
        allows_null: Whether a row without a value in this column goes into the posttransform.
    """

    queries: list[StreamQuery]
    interpolator: str | Pending
    allows_null: bool

    def made(self) -> str | Script:
        """Return the interpolator, compiled."""
        return self.interpolator if isinstance(self.interpolator, str) else self.interpolator.script


def _column(request: Request, body: Any, scripts: Scripts) -> _Column:
    """Return the column that a body describes."""
    if body is None:
        raise Refusal(403, "No stream(s) were selected for dataset element")
    keys = keys_of(body, "an object with 'stream' and 'interpolator'")
    text = typed(keys, "interpolator", str, "")
    allows_null = typed(keys, "allownil", bool, False)
    merged = typed(keys, "merge", list, [])
    query = stream_query(keys)
    if query.stream and merged:
        raise Refusal(403, "Dataset element cannot have both a merge and a stream")
    if not (query.stream or merged):
        raise Refusal(403, "No stream(s) were selected for dataset element")
    if merged and query.transform:
        raise Refusal(403, "Set transforms within each merge element instead of overall for dataset element")
    queries = stream_queries(merged, request.limits.merged_streams) if merged else [query]
    if not all(each.stream for each in queries):
        raise Refusal(403, "Dataset merge array element invalid")
    how = text if text in INTERPOLATORS else scripts.add(text)
    if how is None:
        raise Refusal(403, "Script '': syntax error")
    return _Column(queries, how, allows_null)
