"""What comes from a stream as it happens: the part of `Stream` that goes by the websocket."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from ..protocol.paths import Path
from ..protocol.points import Datapoint
from ..protocol.scripts import ScriptLike, script_text
from ..protocol.times import Time
from .resource import ConnectorObject

if TYPE_CHECKING:
    from ..live import Callback, Mirror, OnError, OnGone, Overflow, Subscription, Watch


class LiveStream(ConnectorObject):
    """A stream, or the view of a downlink, that can be watched."""

    def subscribe(
        self,
        callback: Callback,
        transform: ScriptLike = "",
        downlink: bool = False,
        *,
        since: Time | None = None,
        remember: str | os.PathLike[str] | None = None,
        at: Literal["server", "client"] = "server",
        overflow: Overflow = "catch_up",
        missed: Literal["all", "latest", "none"] = "all",
        expire: float | None = None,
        on_crash: Literal["again", "skip"] = "again",
        answers: bool = False,
        add: bool = False,
        wait: bool = True,
        on_error: OnError | None = None,
        on_gone: OnGone | None = None,
        on_subscribed: Callable[[int], Any] | None = None,
    ) -> Subscription:
        """
        Have *callback* called with every point from now on, or from *since*: each once, in order, across lost connections.

        What was inserted while there was no connection is fetched once it is back. With a transform, and on ephemeral streams,
        nothing can be fetched; what is lost there is told to ``on_error``.

        Args:
            callback: Called as ``callback(path, points)``, on a thread of its own, one call at a time. The points are a
                `connectordb.live.Batch`: a list that knows its ``first_index``, whether it is ``caught_up``, and who sent each point.
                On a downlink it is one command a call, and what it returns is the acknowledgement: ``True`` writes the same
                point to the stream, a datapoint or a list of them writes those.
            transform: PipeScript that the server runs over each insert, as in reading.
            downlink: Watch the downlink.
            since: Where to begin: an ``int`` is an index (``-10``: the last ten, then what comes), a ``float``, ``datetime``,
                ``timedelta`` (ago), ISO 8601 text or words a time: the points after it; one to come counts as now.
            remember: A file in which the place is kept, so that the program goes on there when it is started again: every
                point at least once. It has one holder.
            at: Where the transform runs: ``"server"``, anew for each insert, or ``"client"``, over all points as one sequence.
            overflow: What becomes of points when the callback is too slow for them: ``"catch_up"``, they are fetched again
                later; ``"latest"``, all but the newest are left out; ``"raise"``, the subscription ends and says so.
            missed: Which commands that came while nobody listened are handed on: ``"all"``, ``"latest"`` or ``"none"``.
            expire: Seconds after which a command is not obeyed any more.
            on_crash: With *remember*, whether a command that was begun when the program was killed is obeyed ``"again"``, or
                ``"skip"``: only you know which is safe.
            answers: Record what became of each command in a companion stream, for `command`.
            add: Leave the callbacks that are there for this transform; otherwise this one replaces them.
            wait: Return when the server has obeyed; otherwise at once, and connect when that can be.
            on_error: Called with what goes wrong later; without it, that is logged.
            on_gone: Called with why, if the stream is deleted (``"deleted"``), made unreadable (``"denied"``), made anew
                (``"recreated"``), loses its end (``"restored"``) or all points (``"cleared"``). It is looked for again.
            on_subscribed: Called with how many points were caught up, once they are handed on; again after each reconnect.

        Raises:
            NotFound, PermissionDenied: The stream is not there, or not for this caller.
            ConnectionFailed: The server is away.
            LocalProtocolError: An option makes no sense.
        """
        from ..live import Options

        options = Options(
            since=since,
            remember=remember,
            at=at,
            overflow=overflow,
            missed=missed,
            expire=expire,
            on_crash=on_crash,
            answers=answers,
            on_error=on_error,
            on_gone=on_gone,
            on_subscribed=on_subscribed,
        )
        path, script = self._sequence(downlink), script_text("transform", transform)
        return self._session.live.subscribe(path, callback, script, options, add=add, wait=wait)

    def on_downlink(self, callback: Callback | None = None, **options: Any) -> Any:
        """
        Have the decorated function called with each command: `subscribe` with ``downlink=True``, and with its options.

        >>> @lamp.on_downlink
        ... def switch(path, points): ...

        >>> @lamp.on_downlink(remember="lamp.state", answers=True)
        ... def switch(path, points): ...
        """
        if callback is None:
            return lambda callback: self.on_downlink(callback, **options)
        self.subscribe(callback, downlink=True, **options)
        return callback

    def watch(
        self,
        transform: ScriptLike = "",
        downlink: bool = False,
        *,
        since: Time | None = None,
        timeout: float | None = None,
        at: Literal["server", "client"] = "server",
        overflow: Overflow = "catch_up",
        wait: bool = True,
    ) -> Watch:
        """
        Return an iterator over what is inserted, to be used in a ``with`` block::

            with stream.watch(since=-10) as points:
                for point in points:
                    print(point["t"], point["d"])

        It brings the points on the thread that iterates, each once, in order, across lost connections.

        Args:
            transform: As for `subscribe`.
            downlink: Watch the downlink; its commands are not acknowledged by that.
            since: As for `subscribe`.
            timeout: Seconds without a point after which the iteration ends; by default it does not.
            at: As for `subscribe`.
            overflow: As for `subscribe`.
            wait: As for `subscribe`.

        Raises:
            NotFound, PermissionDenied: The stream is not there, or not for this caller.
            ConnectionFailed: The server is away.
        """
        from ..live import Options

        options = Options(since=since, at=at, overflow=overflow)
        path, script = self._sequence(downlink), script_text("transform", transform)
        return self._session.live.watch(path, script, options, timeout=timeout, wait=wait)

    def unsubscribe(self, transform: ScriptLike = "", downlink: bool = False) -> None:
        """End all subscriptions with that transform; once this has returned their callbacks run no more."""
        self._session.live.unsubscribe(self._sequence(downlink), script_text("transform", transform))

    def live(
        self,
        keep: float | timedelta = 1,
        downlink: bool = False,
        *,
        wait: bool = True,
        on_error: OnError | None = None,
    ) -> Mirror:
        """
        Return an object that holds the newest points and is kept up to date, so that reading it asks no server.

        Args:
            keep: How much it holds: an ``int`` is a number of points, a ``timedelta``, or a ``float`` of seconds, a span up to
                the present; the newest point is always held.
            downlink: The downlink's.
            wait: Return when it holds what is there; otherwise at once, and connect when that can be.
            on_error: Called with what a function given to `on_change` raises, and with what goes wrong later; without it, that
                is logged.

        Raises:
            NotFound, PermissionDenied: The stream is not there, or not for this caller.
            ConnectionFailed: The server is away.
            LocalProtocolError: *keep* is none.
        """
        from ..live import mirror_stream

        session = self._session
        return mirror_stream(session.live, session.call, self._sequence(downlink), keep, wait=wait, on_error=on_error)

    def command(self, value: Any, timeout: float = 5.0) -> Datapoint:
        """
        Command a value through the downlink, and return the point with which the device answered, within *timeout* seconds.

        Raises:
            DownlinkTimeout: There was no answer in time; says whether the command was written.
            DownlinkRefused: The device refused, and recorded why (``answers=True``).
            LocalProtocolError: The stream is no downlink, or belongs to the device that is logged in.
        """
        from ..live import command

        return command(self._session, self._path, value, timeout)

    def _sequence(self, downlink: bool) -> Path:
        return self._path.at_downlink() if downlink else self._path
