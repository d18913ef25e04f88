"""The part of `Stream` that uses the websocket: subscriptions, mirrors and commands."""

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
    """A stream, or its downlink, that can be watched."""

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
        Call *callback* with every point from now on, or from *since*: each point once, in order, across lost connections.

        Points that were inserted while there was no connection are fetched when it is back. With a transform, and on ephemeral
        streams, nothing can be fetched; what is lost there is reported to ``on_error``.

        Args:
            callback: Called as ``callback(path, points)``, on a background thread, one call at a time. The points are a
                `connectordb.live.Batch`: a list that knows its ``first_index``, whether it is ``caught_up``, and who sent each point.
                On a downlink each call gets one command, and the return value is the acknowledgement: ``True`` writes the
                command's own point to the stream, a datapoint or a list of datapoints is written instead of it.
            transform: PipeScript that the server runs over each insert, as in reading.
            downlink: Watch the downlink instead.
            since: Where to begin. An ``int`` is an index (``-10``: the last ten points, then new ones). A ``float``, ``datetime``,
                ``timedelta`` (ago), ISO 8601 text or words are a time: the points after it; a time in the future counts as now.
            remember: A file that stores how far the callback has come, so that the program goes on there after a restart: it gets
                every point at least once. Only one subscription at a time may use the file.
            at: Where the transform runs: at the ``"server"``, for each insert by itself, or at the ``"client"``, over all points
                as one sequence.
            overflow: What happens when the callback is too slow: ``"catch_up"`` fetches the points again later, ``"latest"`` leaves
                out all but the newest, ``"raise"`` ends the subscription with an error.
            missed: Which of the commands that arrived while nothing listened are handed on: ``"all"``, ``"latest"`` or ``"none"``.
            expire: Seconds after which a command is not obeyed any more.
            on_crash: With *remember*, what to do with a command that was being handled when the program was killed: obey it
                ``"again"``, or ``"skip"`` it. Only you know which is safe.
            answers: Record what became of each command in a companion stream, for `command`.
            add: Keep the other callbacks for this stream and transform; otherwise this one replaces them.
            wait: Return when the server has confirmed the subscription; otherwise return at once, and connect when possible.
            on_error: Called with errors that occur later; by default they are logged.
            on_gone: Called with the reason if the stream is deleted (``"deleted"``), made unreadable (``"denied"``), created anew
                (``"recreated"``), or loses its newest (``"restored"``) or all points (``"cleared"``). It is looked for again.
            on_subscribed: Called with the number of points caught up, after they were handed on; again after each reconnect.

        Raises:
            NotFound, PermissionDenied: The stream does not exist, or the caller may not read it.
            ConnectionFailed: The server cannot be reached.
            LocalProtocolError: An option is not valid.
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
        Decorate a function that is called with each command: `subscribe` with ``downlink=True``, and with its options.

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
        Return an iterator over points as they are inserted, to be used in a ``with`` block::

            with stream.watch(since=-10) as points:
                for point in points:
                    print(point["t"], point["d"])

        The thread that iterates gets each point once, in order, across lost connections.

        Args:
            transform: As for `subscribe`.
            downlink: Watch the downlink instead; this does not acknowledge its commands.
            since: As for `subscribe`.
            timeout: Seconds without a point after which the iteration ends; by default it never does.
            at: As for `subscribe`.
            overflow: As for `subscribe`.
            wait: As for `subscribe`.

        Raises:
            NotFound, PermissionDenied: The stream does not exist, or the caller may not read it.
            ConnectionFailed: The server cannot be reached.
        """
        from ..live import Options

        options = Options(since=since, at=at, overflow=overflow)
        path, script = self._sequence(downlink), script_text("transform", transform)
        return self._session.live.watch(path, script, options, timeout=timeout, wait=wait)

    def unsubscribe(self, transform: ScriptLike = "", downlink: bool = False) -> None:
        """End all subscriptions with that transform. When this has returned, their callbacks do not run any more."""
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
        Return a mirror: an object that always holds the newest points, so that reading them does not ask the server.

        Args:
            keep: How much it holds. An ``int`` is a number of points; a ``timedelta``, or a ``float`` of seconds, is a time span
                up to the present. The newest point is always there.
            downlink: Mirror the downlink instead.
            wait: Return when it holds the present points; otherwise return at once, and connect when possible.
            on_error: Called with what a function given to `on_change` raises, and with errors that occur later; by default they
                are logged.

        Raises:
            NotFound, PermissionDenied: The stream does not exist, or the caller may not read it.
            ConnectionFailed: The server cannot be reached.
            LocalProtocolError: *keep* is not valid.
        """
        from ..live import mirror_stream

        session = self._session
        return mirror_stream(session.live, session.call, self._sequence(downlink), keep, wait=wait, on_error=on_error)

    def command(self, value: Any, timeout: float = 5.0) -> Datapoint:
        """
        Send a command through the downlink, and return the point with which the device answers within *timeout* seconds.

        Raises:
            DownlinkTimeout: There was no answer in time; the error says whether the command was written.
            DownlinkRefused: The device refused, and recorded why (``answers=True``).
            LocalProtocolError: The stream is no downlink, or belongs to the device that is logged in.
        """
        from ..live import command

        return command(self._session, self._path, value, timeout)

    def _sequence(self, downlink: bool) -> Path:
        """Return the path of what is read: the stream itself, or its downlink."""
        return self._path.at_downlink() if downlink else self._path
