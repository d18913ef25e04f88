"""What queries are made of: a stream with its range and transform, on a server or as points at hand; and how they are run."""

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

#: Has a server run a query.
Ask = Callable[["Device", Literal["merge", "dataset"], Any], T]

#: What may stand where a query wants a stream: on a server, or a list of points that is at hand.
Streamlike = Stream | str | list[Datapoint]


@dataclass(frozen=True, slots=True)
class Remote:
    """
    A stream on a server, with its range and transform.

    Attributes:
        device: Who asks for it.
        shown: What is sent.
    """

    device: Device
    shown: dict[str, Any]

    def read(self, since: float | None = None) -> Iterator[Datapoint]:
        """
        Return the points, which are fetched while they come; the server applies range and transform.

        Args:
            since: For one without a range, as a column of a dataset: where that begins.

        Raises:
            ResponseError: The server refused.

        Calls: ``POST query/merge``; with *since*, before it ``GET crud/<path>/data`` for single points, to find where it begins.
        """
        query = self.shown
        if since and not any(query.get(name) for name in RANGE):
            stream = cast(Stream, self.device._at(Path.parse(query["stream"])))
            length = len(stream)
            # what is stored never changes its index, so that no insert meanwhile is in the way
            first = bisect_right(range(length), since, key=lambda index: float(stream[index].get("t", 0.0)))
            query = {**query, "i1": max(first - BACK, 0)} if first < length else query
        return run_while_it_comes(self.device, "merge", [query])

    def schema(self) -> Any:
        """
        Return the JSON Schema of its points; none of what a transform makes.

        Calls: ``GET crud/<path>``.
        """
        if "transform" in self.shown:
            return None
        return json.loads(self.device._at(Path.parse(self.shown["stream"])).data.get("schema") or "{}")


#: A stream of a query.
Source = Remote | AtHand


def path_of(device: Device, stream: Stream | str) -> Path:
    """
    Return the full path of a stream: of a `Stream`, of a path as text, or of a bare name of *device*'s own.

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
    Return a stream with its range and transform, as a query has it.

    Raises:
        InvalidRange: Kinds of range are mixed.
        LocalProtocolError: *stream* is none, *transform* no text, or there is no server to ask.
        PipeScriptError: The transform of points at hand is no script.
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
    Return what the server of *device* answers to a query; a null that the wire leaves out is there.

    Raises:
        ResponseError: The server refused a part of it, or its answer is none.

    Calls: ``POST query/<kind>``.
    """
    return device._session.call(rest.query_points(kind, json_text.checked(query)))


def run_while_it_comes(device: Device, kind: Literal["merge", "dataset"], query: Any) -> Iterator[Datapoint]:
    """As `run`, point by point."""
    from ..client import coming

    return coming(device._session, rest.query_points(kind, json_text.checked(query)))


def run_in_pieces(device: Device, kind: Literal["merge", "dataset"], query: Any) -> Iterator[Piece]:
    """As `run`, in columns, some points at a time."""
    from ..client import coming_arrays
    from ..frames import read_pieces

    return read_pieces(coming_arrays(device._session, rest.query_points(kind, json_text.checked(query))))


class Query(AsColumns):
    """What is run by a server, or here."""

    def _found(self, ask: Ask[T], own: Callable[[Iterable[Datapoint]], T]) -> T:
        """Return what *ask* returns, which has a server run it; or if it runs here, what *own* makes of the points."""
        raise NotImplementedError

    def _pieces(self) -> Iterator[Piece]:
        from ..frames import pieces_of

        return self._found(run_in_pieces, pieces_of)

    @property
    def query(self) -> Any:
        """What is sent. Of points at hand, which are not, it says how many there are."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return what is asked."""
        return f"<{type(self).__name__} {self.query!r}>"

    def __iter__(self) -> Iterator[Datapoint]:
        """
        Yield the points that `run` returns, one by one while they come, however many there are.

        The query runs anew each time. What comes while the program works on a point waits in memory, up to 16 MiB. If the answer
        breaks off, the server is asked again, and gone on with if it answers the same to there; else the exception says how many points
        came, and a program has to begin anew.

        Errors and calls are those of `run`.
        """
        return self._found(run_while_it_comes, iter)

    def to_csv(self, file: str | os.PathLike[str]) -> None:
        """
        Write a CSV file, while points come: the columns ``t``, seconds since 1970, and ``d``; or of objects, one for each key of the first.

        Raises:
            LocalProtocolError: A value is no object, or has another key, where the first one is an object; there is no file then.

        Errors and calls are else those of `run`.
        """
        from ..point_files import write_csv

        write_csv(self, file)

    def plot(self, *, label: str = "", ax: Axes | None = None) -> Axes:
        """
        Draw what `run` returns, each column of a dataset by itself: those that go together share an axis; how stands at
        `DatapointArray.plot`.

        Args:
            label: What it is called, in the title or the legend.
            ax: Axes of matplotlib to draw into; without it there is a new figure of ``matplotlib.pyplot``.

        Returns:
            The axes; of several the first, all are in its ``figure.axes``.

        Raises:
            ModuleNotFoundError: The extra ``plot`` is not installed.
            LocalProtocolError: What is drawn does not go together in one *ax*.

        Errors and calls are else those of `run`; and of a dataset ``GET crud/<path>`` for each stream that has its unit in its schema.
        """
        from ..pictures import of_points, plot

        return plot(of_points(self, label, self._schema()), label, ax)

    def _schema(self) -> dict[str, Any]:
        """Return the schema of what `run` returns, as far as units are known."""
        return {}


def check_zone(tz: str) -> None:
    """
    Accept a query that a server runs, as far as time zones go.

    Raises:
        LocalProtocolError: It has one.
    """
    if tz:
        raise LocalProtocolError(
            f"tz={tz!r} is for what runs here, and all of this runs on a server, which has a time zone of its own: name the "
            f"zone in the script, hour('{tz}'), or give a Script(…, tz='{tz}')"
        )
