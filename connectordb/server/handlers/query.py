"""Queries over several streams: merges, and datasets, in which streams are the columns of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..storage import Reader
from .request import Reply, Request
from .scripts import Scripts
from .sources import Array, Source
from .stream_queries import open_source, stream_queries

if TYPE_CHECKING:
    from ...pipescript import Point


def merge(reader: Reader, request: Request) -> Reply:
    """``POST query/merge``: the points of several streams as one array, in order of time."""
    from ...pipescript import (
        merge as merged,
    )  # imported here, so that the language is loaded only if something is computed

    body = request.json()
    queries = stream_queries([] if body is None else body, request.limits.merged_streams)
    scripts = Scripts(request.queries)
    sources = [open_source(reader, request, query, scripts) for query in queries]
    return _answer(merged(*sources), sources, sources, scripts)


def dataset(reader: Reader, request: Request) -> Reply:
    """``POST query/dataset``: rows of several streams, at regular times or at the times of one of them."""
    from .datasets import open_dataset  # imported here for the same reason

    scripts = Scripts(request.queries)
    return _answer(*open_dataset(reader, request, scripts), scripts)


def _answer(points: Iterable[Point], sources: list[Source], begun: list[Source], scripts: Scripts) -> Reply:
    return Reply(b"", rest=Array(points, sources, scripts, begun), points=sum(source.length for source in sources))
