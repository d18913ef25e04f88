"""What `Merge` and `Dataset` have in common: their streams, each with its range and transform, and how a query is run."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from ..client import Device, Stream
from ..datapoints import AsColumns
from ..exceptions import LocalProtocolError
from ..protocol import json_text, rest
from ..protocol.paths import Path
from ..protocol.points import Datapoint
from ..protocol.ranges import Range
from ..protocol.scripts import ScriptLike
from ..protocol.times import Time
from ..runtime.clock import SYSTEM
from .at_hand import BACK, RANGE, AtHand

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..frames import Piece

T = TypeVar("T")

#: A function that has a server run a query, and returns the result in some form.
Ask = Callable[["Device", Literal["merge", "dataset"], Any], T]

#: What a query accepts as a stream: one on a server, or a list of points.
Streamlike = Stream | str | list[Datapoint]


@dataclass(frozen=True, slots=True)
class Remote:
    """
    A stream on a server, with its range and transform.

    Attributes:
        device: The device that reads it.
        shown: What is sent in a query.
    """

    device: Device
    shown: dict[str, Any]

    def read(self, since: float | None = None) -> Iterator[Datapoint]:
        """
        Yield the points while they come; the server applies range and transform.

        Args:
            since: For a column of a dataset: where the dataset begins. Without a range, the column begins ten points before.

        Raises:
            ResponseError: The server refused.

        Calls: ``POST query/merge``; with *since*, first ``GET crud/<path>/data`` for single points, to find where to begin.
        """
        query = self.shown
        if since and not any(query.get(name) for name in RANGE):
            stream = cast(Stream, self.device._at(Path.parse(query["stream"])))
            length = len(stream)
            # the indices of stored points never change, so inserts meanwhile do no harm
            first = bisect_right(range(length), since, key=lambda index: float(stream[index].get("t", 0.0)))
            query = {**query, "i1": max(first - BACK, 0)} if first < length else query
        return run_while_it_comes(self.device, "merge", [query])

    def schema(self) -> Any:
        """
        Return the JSON Schema of its points; ``None`` with a transform, for whose results it does not hold.

        Calls: ``GET crud/<path>``.
        """
        if "transform" in self.shown:
            return None
        return json.loads(self.device._at(Path.parse(self.shown["stream"])).data.get("schema") or "{}")


#: A stream of a query.
Source = Remote | AtHand


def path_of(device: Device, stream: Stream | str) -> Path:
    """
    Return the path of a stream that is given as a `Stream`, as a path, or as the bare name of one of *device*'s streams.

    Raises:
        LocalProtocolError: It is none of these.
    """
    if isinstance(stream, Stream):
        return Path.parse(stream.path)
    if not isinstance(stream, str):
        raise LocalProtocolError(
            f"{stream!r} is no stream: expected a Stream, 'user/device/stream', a name, or a list of datapoints"
        )
    path = Path.parse(stream if "/" in stream else device[stream].path)
    if path.depth != 3:
        raise LocalProtocolError(f"{stream!r} is a {path.kind}: expected a stream, 'user/device/stream'")
    return path


def source(
    device: Device | None,
    stream: Streamlike,
    *,
    t1: Time | None,
    t2: Time | None,
    limit: int | None,
    i1: int | None,
    i2: int | None,
    transform: ScriptLike | None,
    tz: str = "",
) -> Source:
    """
    Return a stream with its range and transform, as a part of a query.

    Raises:
        InvalidRange: Times and indices are mixed.
        LocalProtocolError: *stream* is no stream, *transform* is no script, or there is no server to ask.
        PipeScriptError: The transform of a list is not a valid script.
    """
    asked = Range(SYSTEM.wall(), t1, t2, limit, i1, i2, transform)
    if isinstance(stream, list):
        return AtHand(stream, asked.fields, asked.script, tz)
    if device is None:
        if not isinstance(stream, Stream):
            raise LocalProtocolError(
                f"{stream!r} is on no server that is known here: give the connection instead of None, or a list of datapoints"
            )
        device = stream.device
    query = {"stream": str(path_of(device, stream)), **asked.fields}
    return Remote(device, {**query, "transform": asked.script} if asked.script else query)


def run(device: Device, kind: Literal["merge", "dataset"], query: Any) -> list[Datapoint]:
    """
    Return the points that the server of *device* answers to a query, with the nulls that the wire leaves out.

    Raises:
        ResponseError: The server refused a part of it, or its answer is not valid.

    Calls: ``POST query/<kind>``.
    """
    return device._session.call(rest.query_points(kind, json_text.checked(query)))


def run_while_it_comes(device: Device, kind: Literal["merge", "dataset"], query: Any) -> Iterator[Datapoint]:
    """As `run`, but yield the points one by one while they come."""
    from ..client import coming

    return coming(device._session, rest.query_points(kind, json_text.checked(query)))


def run_in_pieces(device: Device, kind: Literal["merge", "dataset"], query: Any) -> Iterator[Piece]:
    """As `run`, but yield the points as columns, some at a time."""
    from ..client import coming_arrays
    from ..frames import read_pieces

    return read_pieces(coming_arrays(device._session, rest.query_points(kind, json_text.checked(query))))


class Query(AsColumns):
    """A query, which a server runs, or this process if lists of points are part of it."""

    def _found(self, ask: Ask[T], own: Callable[[Iterable[Datapoint]], T]) -> T:
        """Run the query: on a server by *ask*, or here, with *own* to bring the points into the form that *ask* returns."""
        raise NotImplementedError

    def _pieces(self) -> Iterator[Piece]:
        from ..frames import pieces_of

        return self._found(run_in_pieces, pieces_of)

    @property
    def query(self) -> Any:
        """The query as it is sent. For lists of points, which are not sent, it has their length."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the query."""
        return f"<{type(self).__name__} {self.query!r}>"

    def __iter__(self) -> Iterator[Datapoint]:
        """
        Yield the points that `run` returns, one by one while they come, however many there are.

        The query runs anew each time. Points that come while the program works on one wait in memory, up to 16 MiB. If the answer
        breaks off, the server is asked again, and the iteration continues if the new answer begins like the old one. Otherwise the
        exception says how many points came, and the program has to start again.

        Errors and calls are those of `run`.
        """
        return self._found(run_while_it_comes, iter)

    def to_csv(self, file: str | os.PathLike[str]) -> None:
        """
        Write a CSV file while the points come, with the columns ``t``, seconds since 1970, and ``d``.

        If the first value is an object, there is a column for each of its keys instead of ``d``.

        Raises:
            LocalProtocolError: The first value is an object, and another one is none or has another key; no file is written.

        Other errors, and the calls, are those of `run`.
        """
        from ..point_files import write_csv

        write_csv(self, file)

    def plot(self, *, label: str = "", ax: Axes | None = None) -> Axes:
        """
        Draw the points that `run` returns as `DatapointArray.plot` does: each column of a dataset by itself, those of one unit on
        one axis.

        Args:
            label: The name in the title or the legend.
            ax: Matplotlib axes to draw into; by default a new figure of ``matplotlib.pyplot``.

        Returns:
            The axes; if there are several, the first, and all are in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            LocalProtocolError: More than one *ax* is needed.

        Other errors, and the calls, are those of `run`; for a dataset also ``GET crud/<path>`` for each stream whose unit its schema
        may tell.
        """
        from ..pictures import of_points, plot

        return plot(of_points(self, label, self._schema()), label, ax)

    def _schema(self) -> dict[str, Any]:
        """Return a schema for the points that `run` returns, as far as units are known."""
        return {}


def check_zone(tz: str) -> None:
    """
    Check that a query which a server runs has no time zone.

    Raises:
        LocalProtocolError: It has one.
    """
    if tz:
        raise LocalProtocolError(
            f"tz={tz!r} is for what runs here, and all of this runs on a server, which has a time zone of its own: name the "
            f"zone in the script, hour('{tz}'), or give a Script(…, tz='{tz}')"
        )
