"""Stream queries, of which merges and datasets are made: reading them, and finding their points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...exceptions import LocalProtocolError
from ...protocol.paths import Path
from ..storage import Reader, Series
from .data import readable
from .ranges import Range
from .request import Refusal, Request
from .scripts import Scripts
from .sources import Source

#: How many points from before the beginning of the dataset a column without a range of its own gets.
_BACK = 10


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """
    Asks for points of one stream.

    Attributes:
        stream: The stream's path; empty if the query names none.
        transform: The script that they go through; may be empty.
        wanted: The range; `None` if the query has none, which means all points.
    """

    stream: str
    transform: str
    wanted: Range | None


def keys_of(body: Any, what: str) -> dict[str, Any]:
    """Return an object with its keys in lower case, and without nulls; refuse anything else, *what* being what was expected."""
    if not isinstance(body, dict):
        raise Refusal(400, f"{what} was expected where {_shown(body)} stands")
    return {str(key).lower(): value for key, value in body.items() if value is not None}


def _shown(value: Any) -> str:
    return {dict: "an object", list: "an array", str: "a text", bool: "a truth value"}.get(
        type(value), "null" if value is None else "a number"
    )


def typed(keys: Mapping[str, Any], name: str, kinds: type | tuple[type, ...], default: Any) -> Any:
    """Return the value of a key, or *default*; refuse one of another type, and an integer of more than 64 bits."""
    value = keys.get(name, default)
    too_large = kinds is int and isinstance(value, int) and not -(2**63) <= value < 2**63
    if too_large or not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise Refusal(400, f"the value of '{name}' in a query is {_shown(value)}, which it cannot be")
    return value


def number(keys: Mapping[str, Any], name: str) -> float:
    """Return the number that a key has, 0 if there is none."""
    return float(typed(keys, name, (int, float), 0))


def stream_query(keys: Mapping[str, Any]) -> StreamQuery:
    """Return the stream query that an object describes."""
    stream, transform = (typed(keys, name, str, "") for name in ("stream", "transform"))
    i1, i2, limit = (typed(keys, name, int, 0) for name in ("i1", "i2", "limit"))
    t1, t2 = number(keys, "t1"), number(keys, "t2")
    by_time = bool(t1 or t2 or limit)
    if by_time and (i1 or i2):
        raise Refusal(403, "Only one query method (index or time) can be used at a time")
    wanted = Range(not by_time, i1, i2, t1, t2, max(limit, 0)) if by_time or i1 or i2 else None
    return StreamQuery(stream, transform, wanted)


def stream_queries(body: Any, most: int) -> list[StreamQuery]:
    """Return the stream queries in an array; refuse more than *most* of them."""
    if not isinstance(body, list):
        raise Refusal(400, "an array of stream queries was expected")
    queries = [
        stream_query(keys_of(each, "an object with 'stream', and perhaps a range and a transform,")) for each in body
    ]
    if len(queries) > most:
        raise Refusal(403, f"Merging more than {most} streams is disabled.")
    return queries


def open_source(
    reader: Reader, request: Request, query: StreamQuery, scripts: Scripts, since: float | None = None
) -> Source:
    """
    Return the points that a query asks for.

    Args:
        reader: Where to find them.
        request: The request, for the caller and the permissions.
        query: The query.
        scripts: The scripts of the answer, to which the query's is added.
        since: For a column without a range of its own: when the dataset begins. The column then also gets the ten points before
            that; and all points, if none are later.

    Raises:
        Refusal: The stream does not exist, the caller may not read it, or the range makes no sense.
    """
    series = _readable(reader, request, query.stream)
    transform = scripts.add(query.transform)
    if query.wanted is not None:
        return query.wanted.source(reader, series, transform)
    length = reader.length(series)
    first = reader.index_after(series, since) if since is not None and since > 0 else 0
    return Source(series, max(first - _BACK, 0) if first < length else 0, length, transform)


def _readable(reader: Reader, request: Request, stream: str) -> Series:
    try:
        path = Path.parse(stream)
    except LocalProtocolError as error:
        fourth = stream.count("/") == 3 and not stream.endswith("/")
        raise Refusal(403, "Unrecognized substream type" if fourth else "The given path is invalid.") from error
    if path.depth != 3:
        raise Refusal(403, "The given path is invalid.")
    return readable(reader, request.at(path.names)._replace(query={"downlink": "true"} if path.downlink else {}))
