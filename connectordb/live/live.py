"""Subscriptions of one client: who is called for what, the server told of it, and everything ended again."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ..exceptions import (
    AuthenticationError,
    ClosedError,
    ConnectionFailed,
    ConnectorDBError,
    LocalProtocolError,
    Timeout,
)
from ..protocol import rest, restamp
from ..protocol.feed import Datapoint, Message
from ..protocol.paths import Path
from ..protocol.ranges import read_parameters
from ..runtime.clock import SYSTEM, Clock, Deadline
from .acknowledge import Claim, acknowledge, points_to_write
from .connection import Connection, Target
from .dispatch import Pool
from .loop import Loop
from .patience import Timing
from .subscription import QUEUE_LIMIT, Callback, OnError, Subscription
from .subscriptions import Key, State, Subscriptions

log = logging.getLogger(__name__)

#: Commands handed to the connection in one go.
_COMMANDS = 500

#: Streams that are looked at, over REST, at the same time.
_LOOKERS = 4


class Live:
    """
    The subscriptions of one logged-in device, over one websocket that is opened by the first of them.

    Args:
        url: The server, without ``/api/v1``.
        authorization: Returns what the ``Authorization`` header says now, or ``None`` for an anonymous caller.
        call: Sends a REST request, and returns what its answer says or raises it.
        caller: Returns the path of the logged-in device.
        verify: Check the server's certificate; or a file or folder of certificates to trust.
        cert: A client certificate: one file, or certificate and key.
        proxies: As requests has them.
        timeout: Seconds for connecting, and for an answer; one number, or both.
        timing: How patient the connection is.
        clock: The clocks.
    """

    def __init__(
        self,
        url: str,
        *,
        authorization: Callable[[], str | None],
        call: restamp.Call,
        caller: Callable[[], Path],
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        timeout: float | tuple[float, float] = (5.0, 30.0),
        timing: Timing | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        connecting, self._timeout = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        self._target = Target(url, verify, cert, proxies, connecting)
        self._authorization = authorization
        self._call = call
        self._caller = caller
        self._timing = timing or Timing()
        self._clock = clock
        # guards everything below; nothing is called, joined or waited for under it but the condition itself
        self._changed = threading.Condition()
        self._state = Subscriptions()
        self._callbacks: dict[Key, list[Subscription]] = {}
        self._refused: dict[Key, str] = {}
        self._losses = 0
        self._last_loss: ConnectorDBError | None = None
        self._is_open = False
        self._closed = False
        self._pool = Pool("callbacks")
        self._lookers = Pool("lookers", _LOOKERS)
        self._loop = Loop(self._connect, self, self._timing, clock)

    @property
    def is_connected(self) -> bool:
        """Whether the websocket is open."""
        with self._changed:
            return self._is_open

    # --- for users ----------------------------------------------------------------------------------------------------

    def subscribe(
        self,
        path: Path,
        callback: Callback,
        transform: str = "",
        add: bool = False,
        wait: bool = True,
        on_error: OnError | None = None,
    ) -> Subscription:
        """
        Have *callback* called with what is inserted at *path* from now on.

        Args:
            path: A stream, or a stream's downlink.
            callback: Called on a thread of ours as ``callback(path, datapoints)``, one call at a time.
            transform: What the server runs on each insert's points.
            add: Leave the callbacks that are there already for this path and transform; otherwise this one replaces them.
            wait: Return when the server has obeyed; otherwise at once, and connect when that can be.
            on_error: Called with what goes wrong later; without it, that is logged.

        Raises:
            NotFound, PermissionDenied: The stream is not there, or not for this caller (only with *wait*).
            InvalidRequest: The server does not take the transform (only with *wait*).
            ConnectionFailed: The server is away, or gave no answer in time (only with *wait*).
            LocalProtocolError: *path* is no stream.
            ClosedError: This was closed.

        Calls: ``GET crud/<path>/data`` for an empty range, then the websocket's ``subscribe``.
        """
        if path.depth != 3:
            raise LocalProtocolError(f"{str(path)!r} is a {path.kind}: only streams and their downlinks can be watched")
        self._check_open()
        deadline = Deadline(self._timeout, self._clock)
        subscription = Subscription(
            path,
            transform,
            callback,
            on_error,
            lane=self._pool.lane(QUEUE_LIMIT),
            answer=partial(self._answer, path),
            end=self._end,
        )
        key = subscription.key
        readable = False
        if wait and not self._is_live(key):
            self._look_at(path, transform)
            readable = True
        with self._changed:
            self._check_open()
            replaced = [] if add else self._callbacks.get(key, [])
            self._callbacks[key] = [*self._callbacks.get(key, []), subscription] if add else [subscription]
            self._state.subscribe(key, readable)
            losses = self._losses
            self._loop.start()  # under the lock: close() cannot come between, and stop what is not there yet
        self._loop.wake(hurry=wait)
        try:
            if wait:
                self._wait_until_live(subscription, losses, deadline)
        except BaseException:
            self._withdraw(subscription, replaced)
            raise
        self._finish(replaced)
        return subscription

    def unsubscribe(self, path: Path, transform: str = "") -> None:
        """
        End all subscriptions to *path* with that *transform*; where there is none, do nothing.

        Once this has returned, their callbacks run no more, but for one that called this.

        Raises:
            Timeout: A callback still runs; it is not called again.
        """
        with self._changed:
            ended = self._callbacks.get((str(path), transform), [])
            self._forget(ended)
        self._loop.wake()
        self._finish(ended)

    def close(self, timeout: float = 10.0) -> None:
        """
        End every subscription, thread and socket within *timeout* seconds; calling it twice does nothing.

        Commands that wait for a callback are dropped; one that is being acted on is still acknowledged. What has not
        ended in time is logged; it is not called again.
        """
        deadline = Deadline(timeout, self._clock)
        with self._changed:
            self._closed = True
            ended = [subscription for group in self._callbacks.values() for subscription in group]
            self._forget(ended)
            self._changed.notify_all()
        self._loop.stop()
        late = [repr(subscription) for subscription in ended if not subscription.finish(deadline)]
        if late:
            log.warning("closing: callbacks still run after %g s: %s", timeout, ", ".join(late))
        else:
            self._pool.close(deadline)
        self._lookers.close(deadline)
        self._loop.join(deadline.left())

    # --- subscribing and ending ---------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("subscribing after close(): make a new ConnectorDB")

    def _is_live(self, key: Key) -> bool:
        with self._changed:
            return self._state.state(key) is State.LIVE

    def _look_at(self, path: Path, transform: str) -> None:
        """Read nothing from the stream: the server checks that it is there, may be read, and the transform."""
        self._call(rest.points(path, read_parameters({"i1": -1, "i2": -1}, transform)))

    def _wait_until_live(self, subscription: Subscription, losses: int, deadline: Deadline) -> None:
        key = subscription.key
        with self._changed:
            while self._state.state(key) is not State.LIVE:
                if self._closed:
                    raise ClosedError(f"closed while subscribing to {str(subscription.path)!r}")
                if subscription not in self._callbacks.get(key, []):
                    return  # somebody else has ended it meanwhile
                if self._losses > losses:
                    raise self._last_loss or ConnectionFailed("the websocket was closed")
                if deadline.passed():
                    raise Timeout(
                        f"subscribing to {str(subscription.path)!r}: no word from {self._target.url} within "
                        f"{self._timeout:g} s; try again, or subscribe with wait=False"
                    )
                self._changed.wait(deadline.left())

    def _withdraw(self, subscription: Subscription, replaced: list[Subscription]) -> None:
        """Undo a subscribe that failed: what it replaced is back."""
        with self._changed:
            group = self._callbacks.get(subscription.key, [])
            if replaced and subscription in group:
                self._callbacks[subscription.key] = replaced + [other for other in group if other is not subscription]
            else:
                self._forget([subscription])
        self._loop.wake()
        subscription.finish(Deadline(self._timeout, self._clock))

    def _end(self, subscription: Subscription) -> None:
        with self._changed:
            self._forget([subscription])
        self._loop.wake()
        self._finish([subscription])

    def _forget(self, ended: Sequence[Subscription]) -> None:
        """Take *ended* out of what is wanted; called under the lock."""
        for subscription in ended:
            key = subscription.key
            group = [other for other in self._callbacks.get(key, []) if other is not subscription]
            if group:
                self._callbacks[key] = group
            elif key in self._callbacks:
                del self._callbacks[key]
                self._refused.pop(key, None)
                self._state.unsubscribe(key)
        self._changed.notify_all()

    def _finish(self, ended: Sequence[Subscription]) -> None:
        deadline = Deadline(self._timeout, self._clock)
        late = [subscription for subscription in ended if not subscription.finish(deadline)]
        if late:
            raise Timeout(
                f"the callback of {str(late[0].path)!r} still runs after {self._timeout:g} s; it is not called again. Does "
                "it wait for something that the caller holds?"
            )

    # --- looking again, after a reconnect -----------------------------------------------------------------------------

    def _look_again(self, key: Key, epoch: int) -> None:
        """Look at a stream on a looker's thread, and note what was seen."""
        try:
            self._look_at(Path.parse(key[0]), key[1])
        except ConnectorDBError as error:
            self._could_not_look(key, epoch, error)
        else:
            with self._changed:
                self._refused.pop(key, None)
                self._state.readable(key, epoch)
        self._loop.wake()

    def _could_not_look(self, key: Key, epoch: int, error: ConnectorDBError) -> None:
        with self._changed:
            pause = self._timing.backoff.seconds(self._state.failures(key) + 1, random.random)
            self._state.not_readable(key, epoch, self._clock.monotonic() + pause)
            told = list(self._callbacks.get(key, []))
            news = isinstance(error, AuthenticationError) and self._refused.get(key) != error.message
            if news and isinstance(error, AuthenticationError) and told:
                self._refused[key] = error.message
        log.info("live: %s cannot be watched now (%s); looking again in %.1f s", key[0], error, pause)
        if news:
            for subscription in told:
                subscription.tell(error)

    # --- answering downlinks ------------------------------------------------------------------------------------------

    def _answer(self, path: Path, returned: object, commanded: Sequence[Datapoint], claim: Claim) -> None:
        points = points_to_write(returned, commanded, self._clock.wall())
        if points:
            caller = self._caller()
            if caller != path.device or claim.take():
                acknowledge(self._call, path, points, caller)

    # --- what the loop asks and tells ---------------------------------------------------------------------------------

    def _connect(self) -> tuple[Connection, str | None]:
        return Connection(self._target), self._authorization()

    def is_wanted(self) -> bool:
        """Tell whether anything is subscribed."""
        with self._changed:
            return bool(self._state)

    def opened(self) -> None:
        """Note that the websocket is open."""
        with self._changed:
            again = self._losses > 0 and self._last_loss is not None
            self._is_open = True
            self._last_loss = None
            self._state.opened()
            self._changed.notify_all()
        log.info("live: %s to %s", "reconnected" if again else "connected", self._target.url)

    def lost(self, error: ConnectorDBError | None) -> None:
        """Note that it is not, or that it could not be opened."""
        with self._changed:
            refused = isinstance(error, AuthenticationError) and not isinstance(self._last_loss, AuthenticationError)
            told = [subscription for group in self._callbacks.values() for subscription in group] if refused else []
            self._is_open = False
            self._state.lost()
            if error is not None:
                self._losses += 1
                self._last_loss = error
            self._changed.notify_all()
        for subscription in told:
            assert error is not None
            subscription.tell(error)

    def outgoing(self, now: float) -> tuple[list[bytes], int | None, float | None]:
        """Return the commands to send now, the ping to follow them, and when to be asked again."""
        with self._changed:
            epoch = self._state.epoch
            looks = self._state.to_look_at(now)
            commands = [command.encode() for command in self._state.outgoing(_COMMANDS)]
            ping = self._state.ping()
            due = now if len(commands) == _COMMANDS else self._state.next_look()
        for key in looks:
            self._lookers.lane().put(partial(self._look_again, key, epoch))
        return commands, ping, due

    def message(self, message: Message) -> None:
        """Hand a message to its subscribers."""
        with self._changed:
            group = self._callbacks.get((message.stream, message.transform), ())
        if message.data:
            claim = Claim()
            for subscription in group:
                subscription.deliver(message.data, claim)

    def pong(self, number: int) -> None:
        """Note that the server has obeyed what it was told before that ping."""
        with self._changed:
            if self._state.pong(number):
                self._changed.notify_all()
