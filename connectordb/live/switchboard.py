"""
Who is called for what, and how far the server has been told: the state that the users' threads and the loop share.

One lock guards it. Under it nothing is called that belongs to a user, sent, joined or waited for, but for the condition on
the lock itself, by which a caller waits for the loop.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from ..exceptions import AuthenticationError, ClosedError, ConnectionFailed, ConnectorDBError
from ..protocol.feed import Message
from ..runtime.clock import Clock, Deadline
from .acknowledge import Claim
from .dispatch import Pool
from .patience import Timing
from .subscription import Subscription
from .subscriptions import Key, State, Subscriptions

log = logging.getLogger(__name__)

#: Commands handed to the connection in one go.
_COMMANDS = 500

#: Seconds from when an original server has obeyed a subscribe until inserts of others come: it tells a message broker of
#: its own, without waiting for it. (Measured, busy: 6 of 180 inserts made right after the pong did not come.)
_SETTLING = 0.1

#: Streams that are looked at, over REST, at the same time.
_LOOKERS = 4


class Switchboard:
    """
    What the loop asks and tells (its `Handler`), and what `Live` changes.

    Args:
        look: Raises if a subscription's stream is not there, or not readable.
        timing: The pauses between looks.
        clock: The clocks.
    """

    def __init__(self, look: Callable[[Key], None], timing: Timing, clock: Clock) -> None:
        self._look = look
        self._timing = timing
        self._clock = clock
        #: Set by the owner: makes the loop ask again.
        self.wake: Callable[[], None] = lambda: None
        self._lookers = Pool("lookers", _LOOKERS)
        # guards everything below
        self._changed = threading.Condition(threading.Lock())
        self._state = Subscriptions()
        self._callbacks: dict[Key, list[Subscription]] = {}
        #: What REST said last of streams that cannot be watched, so that it is told once.
        self._refused: dict[Key, str] = {}
        self._losses = 0
        self._last_loss: ConnectorDBError | None = None
        self._is_open = False
        self._is_original = False
        self._closed = False
        #: Set by `close`, for those who wait without the lock.
        self._closing = threading.Event()

    # --- for users' threads -------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        with self._changed:
            return self._is_open

    def check_open(self) -> None:
        """Raise `ClosedError` after `close`."""
        if self._closed:
            raise ClosedError("subscribing after close(): make a new ConnectorDB")

    def is_live(self, key: Key) -> bool:
        """Tell whether the server has obeyed a subscription to *key* already."""
        with self._changed:
            return self._state.state(key) is State.LIVE

    def add(
        self, subscription: Subscription, *, replace: bool, readable: bool, start: Callable[[], None]
    ) -> tuple[list[Subscription], int]:
        """
        Want *subscription*; *start* is called before anybody can close.

        Returns:
            What it replaces, still to be finished, and the number of losses so far.
        """
        key = subscription.key
        with self._changed:
            self.check_open()
            before = self._callbacks.get(key, [])
            self._callbacks[key] = [subscription] if replace else [*before, subscription]
            self._state.subscribe(key, readable)
            start()
            return (before if replace else []), self._losses

    def wait_until_live(self, subscription: Subscription, losses: int, deadline: Deadline) -> bool:
        """
        Wait until the server has obeyed; tell whether it has in time.

        Raises:
            ConnectorDBError: The connection was lost, or could not be made, since there were so many *losses*.
            ClosedError: Somebody closed.
        """
        key = subscription.key
        with self._changed:
            while self._state.state(key) is not State.LIVE:
                if self._closed:
                    raise ClosedError(f"closed while subscribing to {key[0]!r}")
                if subscription not in self._callbacks.get(key, []):
                    return True  # somebody has ended it meanwhile, which is as good
                if self._losses > losses:
                    raise self._last_loss or ConnectionFailed(
                        f"the connection was lost while subscribing to {key[0]!r}"
                    )
                if deadline.passed():
                    return False
                self._changed.wait(deadline.left())
            is_original = self._is_original
        if is_original:
            self._clock.wait(self._closing, _SETTLING)
        return True

    def withdraw(self, subscription: Subscription, replaced: list[Subscription]) -> None:
        """Undo `add`: what was replaced is back."""
        with self._changed:
            group = self._callbacks.get(subscription.key, [])
            if replaced and subscription in group:
                self._callbacks[subscription.key] = replaced + [other for other in group if other is not subscription]
            else:
                self._forget([subscription])

    def remove(self, subscription: Subscription) -> None:
        """Want *subscription* no longer."""
        with self._changed:
            self._forget([subscription])

    def remove_all(self, key: Key) -> list[Subscription]:
        """Want *key* no longer, and return who did."""
        with self._changed:
            ended = self._callbacks.get(key, [])
            self._forget(ended)
            return ended

    def close(self) -> list[Subscription]:
        """Want nothing any more, and take nothing more; return what was wanted."""
        with self._changed:
            self._closed = True
            self._closing.set()
            ended = [subscription for group in self._callbacks.values() for subscription in group]
            self._forget(ended)
            return ended

    def finish(self, deadline: Deadline) -> None:
        """Wait for the threads that look."""
        if not self._lookers.close(deadline):
            log.warning("closing: a request about a stream is still waiting for its answer; it ends by itself")

    def _forget(self, ended: Sequence[Subscription]) -> None:
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

    # --- for the loop -------------------------------------------------------------------------------------------------

    def is_wanted(self) -> bool:
        """Tell whether anything is subscribed to."""
        with self._changed:
            return bool(self._state)

    def opened(self, announced: str | None) -> None:
        """Note that there is a connection, and to what kind of server."""
        with self._changed:
            self._is_original = announced is None
            again = self._losses > 0
            self._is_open = True
            self._last_loss = None
            self._state.opened()
        log.info("live: %s", "connected again" if again else "connected")

    def lost(self, error: ConnectorDBError | None) -> None:
        """Note that there is none, and why; a refusal of the credentials is told, once."""
        with self._changed:
            is_news = isinstance(error, AuthenticationError) and not isinstance(self._last_loss, AuthenticationError)
            told = [subscription for group in self._callbacks.values() for subscription in group] if is_news else []
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
        if message.data:  # an empty insert is nothing to tell
            claim = Claim()
            for subscription in group:
                subscription.deliver(message.data, claim)

    def pong(self, number: int) -> None:
        """Note that the server has obeyed what it was told before that ping."""
        with self._changed:
            if self._state.pong(number):
                self._changed.notify_all()

    # --- on the lookers' threads --------------------------------------------------------------------------------------

    def _look_again(self, key: Key, epoch: int) -> None:
        with self._changed:
            if epoch != self._state.epoch:  # the connection was lost meanwhile: it will be looked at again
                return
        try:
            self._look(key)
        except ConnectorDBError as error:
            self._could_not_look(key, epoch, error)
        except Exception as error:
            log.exception("live: looking at %s failed; this is a bug", key[0])
            self._could_not_look(key, epoch, ConnectionFailed(f"looking at {key[0]!r} failed: {error!r}"))
        else:
            with self._changed:
                self._refused.pop(key, None)
                self._state.readable(key, epoch)
        self.wake()

    def _could_not_look(self, key: Key, epoch: int, error: ConnectorDBError) -> None:
        """Look again later; a refusal, not there or not allowed, is told, once."""
        with self._changed:
            pause = self._timing.backoff.seconds(self._state.failures(key) + 1, random.random)
            self._state.not_readable(key, epoch, self._clock.monotonic() + pause)
            told: list[Subscription] = []
            if isinstance(error, AuthenticationError) and self._refused.get(key) != error.message:
                told = list(self._callbacks.get(key, []))
                if told:
                    self._refused[key] = error.message
        log.info("live: %s cannot be watched now: %s; looking again in %.1f s", key[0], error, pause)
        for subscription in told:
            subscription.tell(error)
