"""Putting a subscription together: what brings its points, what is done with them, and what is remembered of that."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..protocol.paths import Path
from ..runtime.backoff import Backoff
from .dispatch import Job, Lane
from .downlinks import Commands, Server, Tell
from .following import Follower, Reads, Receiver, Seen
from .handing import Downlink, Handler, Points, Transformed
from .options import Heard, Options
from .remembering import Place, Remembered
from .watching import Callback, Key, Subscription, Switchboard


class Assembly:
    """
    Makes subscriptions.

    Args:
        url: The server's address, as it stands in remember files.
        server: The server.
        backoff: The pauses between reads that fail.
        end: Ends a subscription.
        heard: Called with the number of points that a callback was called with.
    """

    def __init__(
        self,
        url: str,
        server: Server,
        backoff: Backoff,
        end: Callable[[Subscription], None],
        heard: Heard | None = None,
    ) -> None:
        self._url = url
        self._server = server
        self._backoff = backoff
        self._end = end
        self._heard = heard

    def look(self, key: Key) -> Seen:
        """Look whether a stream exists and may be read, and whether the server accepts its transform."""
        return Reads(self._server.call, Path.parse(key[0])).look(key[1])

    def subscription(
        self,
        path: Path,
        transform: str,
        callback: Callback,
        options: Options,
        lane: Lane,
        switchboard: Switchboard,
    ) -> Subscription:
        """
        Return a subscription that the server has not been told of yet.

        Raises:
            RememberInUse, StorageError: Its remember file cannot be used.
            PipeScriptError: The transform that is to run here is not valid.
        """
        remembered = None if options.remember is None else Remembered(options.remember, path, self._url)

        def follow(receiver: Receiver, place: Place | None) -> Follower:
            return Follower(
                path,
                options,
                by_index=not transform or options.at == "client",
                lane=lane,
                reads=Reads(self._server.call, path),
                receiver=receiver,
                later=switchboard.call_later,
                clock=self._server.clock,
                backoff=self._backoff,
                place=place,
            )

        def handler(tell: Tell) -> Handler:
            if transform and options.at == "client":
                from ..pipescript import Script  # here, as most programs do not need it

                return Transformed(path, Script(transform), tell)
            if not path.downlink:
                return Points(str(path), tell, remembered)
            commands = Commands(
                *(path, self._server, tell, options.policy(), remembered, options.answers),
                waits=lane.has_threads,  # a program that calls `pump` has its own loop, which must not be held up
            )

            def later(seconds: float, job: Job) -> None:
                def put() -> None:
                    lane.put(job)

                switchboard.call_later(seconds, put)

            return Downlink(commands, partial(switchboard.claim, (str(path), "")), tell, later)

        try:
            return Subscription(
                path,
                transform,
                callback,
                options,
                lane=lane,
                handler=handler,
                end=self._end,
                lost_sight=switchboard.lost_sight,
                ask_again=switchboard.ask_again,
                follow=follow,
                heard=self._heard,
            )
        except BaseException:
            if remembered is not None:
                remembered.close()
            raise
