"""What a subscriber reads of its stream over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...exceptions import ResponseError
from ...protocol import indices, json_text, refusals, rest, restamp
from ...protocol.feed import Failed
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.ranges import read_parameters
from ...protocol.reply import Reply


class Seen(NamedTuple):
    """
    What a look at a stream shows.

    Attributes:
        length: How many points it has.
        series: As `Cursor.series`.
        ephemeral: Whether its points are passed on to subscribers, and not stored.
    """

    length: int
    series: str = ""
    ephemeral: bool = False


class _Weighed(rest.Request[list[Datapoint]]):
    """A request that tells how many bytes its answer has."""

    __slots__ = ("_weigh",)

    def __init__(self, request: rest.Request[list[Datapoint]], weigh: Callable[[int], object]) -> None:
        super().__init__(request.method, request.path, request.reader, request.parameters)
        self._weigh = weigh

    def read(self, reply: Reply) -> list[Datapoint]:
        self._weigh(len(reply.body))
        return super().read(reply)


class Reads:
    """
    Reads one stream, or downlink.

    Args:
        call: Sends a REST request, and returns what its answer says, or raises.
        path: The stream.
    """

    def __init__(self, call: restamp.Call, path: Path) -> None:
        self._call = call
        self._path = path

    def look(self, transform: str = "") -> Seen:
        """
        Look whether the stream exists and may be read; with a *transform*, only whether the server accepts that.

        Raises:
            NotFound, PermissionDenied: The stream does not exist, or not for this caller.
            InvalidRequest: The server does not accept the transform.

        Calls: ``GET crud/<path>``, ``GET crud/<path>/data?q=length``; with a transform ``GET crud/<path>/data`` for no points.
        """
        if transform:
            self._call(rest.points(self._path, read_parameters({"i1": -1, "i2": -1}, transform)))
            return Seen(0)
        ephemeral = self.is_ephemeral()
        return Seen(self.length(), "", ephemeral)

    def length(self) -> int:
        """Return how many points the stream has."""
        return self._call(rest.length(self._path))

    def is_ephemeral(self) -> bool:
        """Tell whether the stream's points are not stored, at present."""
        return self._call(rest.read(self._path.stream)).get("ephemeral") is True

    def points(self, i1: int, i2: int, weigh: Callable[[int], object] = bool) -> list[Datapoint] | None:
        """
        Return the points from *i1* to before *i2*, as far as they exist; ``None`` if the stream ends before *i1*.

        Args:
            i1: The index of the first.
            i2: The index after the last.
            weigh: Called with the number of bytes of each answer.
        """
        return indices.points_between(lambda request: self._call(_Weighed(request, weigh)), self._path, i1, i2)

    def index_after(self, t: float, length: int) -> int:
        """Return the index of the first of *length* points that is later than *t*; *length* if none is."""
        return indices.index_after(self._call, self._path, t, length)


def as_refusal(failed: Failed, path: str) -> ResponseError:
    """Return the error that REST would raise for such a refusal of a command about *path*."""
    body = json_text.dumps({"code": failed.code, "msg": failed.msg, "ref": failed.ref})
    return refusals.refusal("GET", f"/crud/{path}/data", Reply(failed.code, body))
