"""The subscriptions of one client, as other rooms use them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..exceptions import LocalProtocolError, TimedOut
from ..network import Trust
from ..protocol import restamp
from ..protocol.features import Features
from ..protocol.paths import Path
from ..runtime.clock import SYSTEM, Clock, Deadline
from .assembly import Assembly
from .dispatch import MOST_THREADS, Lane, Pool
from .downlinks import Server
from .events import Events, Reporter
from .following import QUEUE_LIMIT
from .options import Heard, Options
from .socket import Connection, Loop, Target, Timing, patience
from .watch import Watch
from .watching import Callback, Subscription, Switchboard

log = logging.getLogger(__name__)

#: At least this many threads are for mirrors and commands.
_OWN_THREADS = 2


class Live:
    """
    The subscriptions of one logged-in device, over one websocket that is opened by the first of them.

    Args:
        url: The server, without ``/api/v1``; of several servers, the one that stands for their database.
        authorization: Returns the value of the ``Authorization`` header, or ``None`` for an anonymous caller.
        renew: Called with a header that the server refused; returns whether there is another one now.
        call: Sends a REST request, and returns what its answer says, or raises. It need not try again: that is done here.
        caller: Returns the path of the logged-in device.
        features: Returns what the server's last answer announced.
        server_time: Returns what the server's clock shows, reckoned from its last answer; ``None`` if that did not say.
        present: Returns which of several servers to connect to now.
        unusable: Called with an address that could not be connected to, or whose server stops; returns whether there is another to
            go to at once.
        trust: The certificates for TLS.
        proxies: As for requests.
        timeout: Seconds for opening the websocket, and for an answer: one number for each, or one for both.
        timing: How patient the connection is.
        clock: The clocks.
        events: The handlers that are told what becomes of the connection.
        heard: Called with the number of points that a callback was called with.
        auto_reconnect: Whether to connect again after a loss; otherwise only `hurry` and new subscriptions do.
        threads: How many callbacks may run at the same time; 0 if `pump` runs them.

    Raises:
        LocalProtocolError: *url* is not an address.
    """

    def __init__(
        self,
        url: str,
        *,
        authorization: Callable[[], str | None],
        renew: Callable[[str | None], bool] = lambda refused: False,
        call: restamp.Call,
        caller: Callable[[], Path],
        features: Callable[[], Features] = Features,
        server_time: Callable[[], float | None] = lambda: None,
        present: Callable[[], str] | None = None,
        unusable: Callable[[str], bool] = lambda url: False,
        trust: Trust | None = None,
        proxies: Mapping[str, str] | None = None,
        timeout: float | tuple[float, float] = (5.0, 30.0),
        timing: Timing | None = None,
        clock: Clock = SYSTEM,
        events: Events | None = None,
        heard: Heard | None = None,
        auto_reconnect: bool = True,
        threads: int = MOST_THREADS,
    ) -> None:
        connecting, self._timeout = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        self._present = present or (lambda: url)
        #: The server that we connected to last, or tried to.
        self._target = Target(url, trust or Trust(), proxies, connecting)
        self._target.websocket_url  # noqa: B018  raises if it is not an address
        self._authorization = authorization
        self._clock = clock
        timing = timing or patience.DEFAULT
        server = Server(call, caller, features, server_time, clock)
        self._assembly = Assembly(url, server, timing.backoff, self._end, heard)
        self._pool = Pool("callbacks", threads)
        self._is_pumped = threads == 0
        #: For mirrors and commands: they work even if nobody calls `pump`, and while callbacks that wait for them hold all threads.
        self._own_pool = Pool("own", max(threads, _OWN_THREADS))
        reporter = Reporter(events or Events(), lambda: self._target.url, self._pool.lane())
        self._switchboard = Switchboard(self._assembly.look, timing, clock, reporter)
        self._auto_reconnect = auto_reconnect
        self._loop = Loop(
            *(self._connect, self._switchboard, timing, clock),
            auto_reconnect=auto_reconnect,
            unusable=lambda: unusable(self._target.url),
            renew=renew,
        )
        self._switchboard.wake = self._loop.wake

    @property
    def is_connected(self) -> bool:
        """Whether the websocket is open."""
        return self._switchboard.is_open

    def subscribe(
        self,
        path: Path,
        callback: Callback,
        transform: str = "",
        options: Options | None = None,
        add: bool = False,
        wait: bool = True,
        lane: Lane | None = None,
    ) -> Subscription:
        """
        Call *callback* with what is inserted at *path* from now on.

        Args:
            path: A stream, or a stream's downlink.
            callback: Called on a thread of ours as ``callback(path, datapoints)``, one call at a time, in order. For a
                downlink, what it returns is the acknowledgement.
            transform: What the server runs on each insert's points.
            options: What else the subscriber chose.
            add: Keep the callbacks that this path and transform already have; otherwise this one replaces them.
            wait: Return once the server has obeyed; otherwise at once, and connect as soon as that is possible.
            lane: Where *callback* is called; a new lane by default.

        Raises:
            NotFound, PermissionDenied: The stream does not exist, or not for this caller (only with *wait*).
            InvalidRequest: The server does not accept the transform (only with *wait*).
            ServerError, ConnectionFailed: The server failed, is away, or did not answer in time (only with *wait*).
            LocalProtocolError: *path* is not a stream or downlink, or *callback* cannot be called.
            ClosedError: This was closed.

        Calls: the websocket's ``subscribe``; to a server that does not answer it, only after ``GET crud/<path>`` and
        ``GET crud/<path>/data?q=length``, with a transform ``GET crud/<path>/data`` for an empty range.
        """
        if path.depth != 3:
            raise LocalProtocolError(f"{str(path)!r} is a {path.kind}: only streams and their downlinks can be watched")
        if not callable(callback):
            raise LocalProtocolError(
                f"the callback {callback!r} cannot be called: expected a function of path and points"
            )
        options = options or Options()
        options.check(path.downlink, transform)
        self._switchboard.check_open()
        deadline = self.deadline()
        if not add and options.remember is not None:  # the one that this replaces may have the file open
            for other in self._switchboard.public(str(path), transform):
                other.close()
        pool = self._own_pool if options.private else self._pool
        lane = lane or pool.lane(QUEUE_LIMIT)
        subscription = self._assembly.subscription(path, transform, callback, options, lane, self._switchboard)
        try:
            if wait:
                subscription.prepare()
            replaced, losses = self._switchboard.add(subscription, replace=not add, start=self._loop.start)
        except BaseException:
            subscription.finish(Deadline(0.0, self._clock))
            raise
        self._loop.wake(hurry=wait or not self._auto_reconnect)
        if wait:
            self._wait_until_live(subscription, replaced, losses, deadline)
        late = _late(replaced, deadline)
        if late:
            log.warning("the callback that was replaced still runs; it is not called again: %r", late[0])
        return subscription

    def watch(
        self,
        path: Path,
        transform: str = "",
        options: Options | None = None,
        timeout: float | None = None,
        wait: bool = True,
    ) -> Watch:
        """
        Return an iterator over what is inserted at *path*; the points are fetched on the thread that iterates.

        Args:
            path: A stream, or a stream's downlink: then its commands, which are not acknowledged.
            transform: As for `subscribe`.
            options: As for `subscribe`.
            timeout: Seconds without a point after which the iteration ends.
            wait: As for `subscribe`.

        Raises:
            As `subscribe`.
        """
        watch = Watch(str(path), timeout)
        chosen = replace(
            options or Options(), private=True, on_error=watch.failed, on_gone=watch.gone, on_state=watch.is_now
        )
        watch.subscription = self.subscribe(path, watch.came, transform, chosen, add=True, wait=wait, lane=watch.lane)
        return watch

    def pump(self, timeout: float) -> int:
        """
        Run waiting callbacks on this thread, for *timeout* seconds at most; return how many.

        It returns as soon as none is waiting. If none is waiting at first, it waits for one.

        Raises:
            LocalProtocolError: Callbacks have threads of their own here.
        """
        if not self._is_pumped:
            raise LocalProtocolError("pump() is for callbacks without threads: make the ConnectorDB with threads=0")
        deadline, number = Deadline(timeout, self._clock), 0
        while self._pool.run_one(Deadline(0.0, self._clock) if number else deadline):
            number += 1
            if deadline.passed():
                break
        return number

    def unsubscribe(self, path: Path, transform: str = "") -> None:
        """
        End all subscriptions to *path* with that *transform*; if there are none, do nothing.

        Once this has returned, none of their callbacks is running, unless it is a callback that called this.

        Raises:
            TimedOut: A callback is still running; it will not be called again.
        """
        ended = self._switchboard.public(str(path), transform)
        self._switchboard.remove(ended)
        self._loop.wake()
        self._finish(ended)

    def close(self, timeout: float = 10.0) -> None:
        """
        End every subscription, thread and socket within *timeout* seconds; calling it twice does nothing.

        Commands that wait for a callback are dropped; one that is being acted on is still acknowledged. A callback that has not
        ended in time is logged, and not called again.
        """
        deadline = Deadline(timeout, self._clock)
        ended = self._switchboard.close()
        for subscription in ended:
            subscription.finish(
                Deadline(0.0, self._clock)
            )  # first all of them, so that nothing new begins while we wait
        self._loop.stop()
        self._loop.join(deadline.left())
        late = _late(ended, deadline)
        if late:
            log.warning("closing: callbacks still run after %g s: %s", timeout, ", ".join(map(repr, late)))
        self._pool.close(deadline)
        self._own_pool.close(deadline)
        self._switchboard.finish(deadline)

    def lane(self, most: float = float("inf")) -> Lane:
        """Return a lane on the callbacks' threads; it ends when this is closed."""
        return self._pool.lane(most)

    def own_lane(self) -> Lane:
        """Return a lane on threads that no callback can hold up, as callbacks wait for what runs there; it ends when this is closed."""
        return self._own_pool.lane()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """
        Call *action* after so many seconds, or when there is a connection again; never after `close`.

        It is called on the loop's thread, so it must be quick.
        """
        self._switchboard.call_later(seconds, action)

    def hurry(self) -> None:
        """Connect at once if there is no connection: the caller knows that the server is there."""
        if not self.is_connected and self._switchboard.is_wanted():
            self._loop.start()  # it is running, unless the system had no thread for it the last time
            self._loop.wake(hurry=True)

    def connect(self) -> None:
        """
        Wait until there is a connection; there has to be a subscription, for which it is made.

        Raises:
            ConnectionFailed, AuthenticationError: It could not be made.
            ClosedError: This was closed.
        """
        losses = self._switchboard.losses
        self.hurry()
        if not self._switchboard.wait_until_open(losses, self.deadline()):
            raise TimedOut(
                f"connecting a websocket to {self._target.websocket_url}: no answer within {self._timeout:g} s"
            )

    def deadline(self) -> Deadline:
        """Return when a wait that begins now has to end."""
        return Deadline(self._timeout, self._clock)

    def move(self) -> None:
        """Leave the server that we are connected to, if another one of several is the present one."""
        if self._target.url != self._present():
            self._loop.leave()

    # --- steps of the methods above -----------------------------------------------------------------------------------

    def _connect(self) -> tuple[Connection, str | None]:
        self._target = replace(self._target, url=self._present())
        return Connection(self._target), self._authorization()

    def _wait_until_live(
        self, subscription: Subscription, replaced: list[Subscription], losses: int, deadline: Deadline
    ) -> None:
        """Wait until the server has obeyed; if it does not, leave everything as it was before."""
        try:
            if not self._switchboard.wait_until_live(subscription, losses, deadline):
                raise TimedOut(
                    f"subscribing to {str(subscription.path)!r}: no word from {self._target.websocket_url} within {self._timeout:g} s; "
                    "try again, or subscribe with wait=False"
                )
            if not subscription.is_placed(deadline):
                raise TimedOut(
                    f"subscribing to {str(subscription.path)!r}: all threads of callbacks were busy for {self._timeout:g} s, so "
                    "that it is not remembered where it begins; give since= as an index, or subscribe with wait=False"
                )
        except BaseException:
            self._switchboard.withdraw(subscription, replaced)
            self._loop.wake()
            subscription.finish(self.deadline())
            raise

    def _end(self, subscription: Subscription) -> None:
        self._switchboard.remove([subscription])
        self._loop.wake()
        self._finish([subscription])

    def _finish(self, ended: Sequence[Subscription]) -> None:
        deadline = self.deadline()
        late = _late(ended, deadline)
        if late:
            raise TimedOut(
                f"the callback of {str(late[0].path)!r} still runs after {self._timeout:g} s; it is not called again. Does "
                "it wait for something that the caller holds?"
            )


def _late(ended: Sequence[Subscription], deadline: Deadline) -> list[Subscription]:
    """Finish subscriptions; return those whose callbacks are still running when the time is up."""
    return [subscription for subscription in ended if not subscription.finish(deadline)]
