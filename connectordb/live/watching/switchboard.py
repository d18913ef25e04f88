"""
Who is called for what, and how far the server has been told: the state that users' threads and the loop share.

One lock guards it. While it is held, no user code is called, and nothing is sent, joined or waited for; the only exception is the
condition on the lock itself, by which a caller waits for the loop.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from ...exceptions import ClosedError, ConnectionFailed, ConnectorDBError
from ...protocol.features import Features
from ...protocol.feed import Done, Ended, Failed, Gap, Lost
from ...runtime.clock import AT_A_TIME, Clock, Deadline
from ..downlinks import Claim
from ..events import Reporter
from ..following import Seen, as_refusal, gone_reason, is_refusal
from ..handing import CommandKey
from ..socket import Timing
from .groups import Groups, hear
from .looking import Looking
from .subscription import Subscription
from .subscriptions import Key, State, Subscriptions
from .timers import Action, Timers
from .troubles import Troubles

log = logging.getLogger(__name__)

#: How many commands are handed to the connection at once.
_COMMANDS = 500

#: Seconds from an original server's pong until it really tells of inserts: it passes a subscribe on to a message broker, without
#: waiting for it. (Measured, busy: 6 of 180 inserts made right after the pong did not come.)
_SETTLING = 0.1

#: At an original server, all streams are looked at and subscribed to again after this many times the silence after which a server is
#: pinged: it may end subscriptions without a word.
_LOOK_AROUND = 4


class Switchboard:
    """
    What the loop asks and tells (its `Handler`), and what `Live` changes.

    Args:
        look: Looks at a subscription's stream; raises if it does not exist, or is not readable.
        timing: The pauses between looks.
        clock: The clocks.
        reporter: Told what becomes of the connection.
    """

    def __init__(
        self, look: Callable[[Key], Seen], timing: Timing, clock: Clock, reporter: Reporter | None = None
    ) -> None:
        self._looking = Looking(look, self)
        self._timing = timing
        self._clock = clock
        self._reporter = reporter
        #: Set by the owner: makes the loop ask again.
        self.wake: Callable[[], None] = lambda: None
        # guards everything below
        self._changed = threading.Condition(threading.Lock())
        self._state = Subscriptions()
        self._groups = Groups()
        self._troubles = Troubles()
        self._timers = Timers()
        self._losses = 0
        self._last_loss: ConnectorDBError | None = None
        self._is_open = False
        self._is_indexed = False
        self._closed = False
        #: Set by `close`, for threads that wait without the lock.
        self._closing = threading.Event()

    # --- for users' threads -------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        with self._changed:
            return self._is_open

    @property
    def losses(self) -> int:
        """How many times a connection was lost, or could not be made."""
        with self._changed:
            return self._losses

    def check_open(self) -> None:
        """Raise `ClosedError` after `close`."""
        if self._closed:
            raise ClosedError("subscribing after close(): make a new ConnectorDB")

    def add(
        self, subscription: Subscription, *, replace: bool, start: Callable[[], object]
    ) -> tuple[list[Subscription], int]:
        """
        Want *subscription*, with *replace* in place of those with the same key; *start* starts the loop.

        Returns:
            The subscriptions that it replaces, which the caller has to finish, and the number of losses so far.
        """
        key = subscription.key
        with self._changed:
            self.check_open()
            start()  # here, so that nobody can close in between; and first: if the system has no thread for it, nothing was changed
            replaced = self._groups.add(subscription, replace)
            self._troubles.forget(key)
            self._state.subscribe(key)
            return replaced, self._losses

    def wait_until_live(self, subscription: Subscription, losses: int, deadline: Deadline) -> bool:
        """
        Wait until the server has obeyed; tell whether that happened in time. *losses* is what `add` returned.

        Raises:
            ConnectorDBError: The server refused, or failed; or there were more losses since `add`.
            ClosedError: This was closed meanwhile.
        """
        key = subscription.key

        def is_live() -> bool:
            if self._state.state(key) is State.LIVE and subscription.follower.is_begun:
                return True
            if not self._closed and subscription not in self._groups.of(key):
                return True  # it was ended meanwhile, so there is nothing left to wait for
            if (trouble := self._troubles.of(key)) is not None:
                raise trouble
            return False

        with self._changed:
            if not self._wait_for(is_live, losses, deadline, f"subscribing to {key[0]!r}"):
                return False
            settles = not self._is_indexed and not subscription.follower.goes_by_index
        if settles:
            self._clock.wait(self._closing, _SETTLING)
        return True

    def wait_until_open(self, losses: int, deadline: Deadline) -> bool:
        """Wait until there is a connection; arguments, result and errors are those of `wait_until_live`."""
        with self._changed:
            return self._wait_for(lambda: self._is_open, losses, deadline, "connecting")

    def _wait_for(self, is_there: Callable[[], bool], losses: int, deadline: Deadline, doing: str) -> bool:
        while not is_there():
            if self._closed:
                raise ClosedError(f"closed while {doing}")
            if self._losses > losses:
                raise self._last_loss or ConnectionFailed(f"the connection was lost while {doing}")
            if deadline.passed():
                return False
            self._changed.wait(min(deadline.left() or 0.0, AT_A_TIME))
        return True

    def withdraw(self, subscription: Subscription, replaced: list[Subscription]) -> None:
        """Undo `add`: what it replaced is wanted again."""
        with self._changed:
            if not self._groups.put_back(replaced, subscription):
                self._forget([subscription])
                return
            self._state.again(subscription.key)
            for other in replaced:
                other.disconnected()  # they were told nothing while they were replaced

    def remove(self, ended: Sequence[Subscription]) -> None:
        """No longer want the subscriptions that have *ended*."""
        with self._changed:
            self._forget(ended)

    def close(self) -> list[Subscription]:
        """Want nothing from now on, and refuse new subscriptions; return those that there were."""
        with self._changed:
            self._closed = True
            self._closing.set()
            ended = self._groups.all()
            self._forget(ended)
            return ended

    def finish(self, deadline: Deadline) -> None:
        """Wait for the threads that look at streams."""
        self._looking.close(deadline)

    def public(self, path: str, transform: str) -> list[Subscription]:
        """Return the subscriptions that others may replace or end, as `Groups.public`."""
        with self._changed:
            return self._groups.public(path, transform)

    def claim(self, key: Key, command: CommandKey) -> Claim:
        """Return the claim to a command, as `Groups.claim`."""
        with self._changed:
            return self._groups.claim(key, command)

    def lost_sight(self, key: Key) -> None:
        """Look again, after a pause, whether *key* can be watched."""
        with self._changed:
            self._state.lost_sight(key, self._again_at(key))
        self.wake()

    def ask_again(self, key: Key) -> None:
        """Tell the server of *key* once more."""
        with self._changed:
            self._state.again(key)
        self.wake()

    def call_later(self, seconds: float, action: Action) -> None:
        """Call *action* on the loop's thread after so many seconds, or when there is a connection again."""
        with self._changed:
            self._timers.put(self._clock.monotonic() + seconds, action)
        self.wake()

    def _forget(self, ended: Sequence[Subscription]) -> None:
        for key in self._groups.remove(ended):
            self._troubles.forget(key)
            self._state.unsubscribe(key)
        self._changed.notify_all()

    # --- for the loop -------------------------------------------------------------------------------------------------

    def is_wanted(self) -> bool:
        """Tell whether anything is subscribed to."""
        with self._changed:
            return bool(self._state)

    def is_waiting(self) -> bool:
        """Tell whether a command has not been answered yet."""
        return self._state.is_waiting  # without the lock, as this is asked for every message

    def opened(self, announced: str | None) -> None:
        """Note that there is a connection, and what the server says it can do."""
        features = Features.parse(announced)
        with self._changed:
            self._is_indexed = features.ws_id and features.ws_index
            self._is_open = True
            self._last_loss = None
            self._state.opened(self._is_indexed)
            self._changed.notify_all()
            epoch = self._state.epoch
        log.info("live: connected")
        if self._reporter is not None:
            self._reporter.opened()
        if not self._is_indexed:
            self.call_later(self._timing.quiet * _LOOK_AROUND, partial(self._look_around, epoch))

    def lost(self, error: ConnectorDBError | None, goes_on: bool = False) -> None:
        """
        Note that there is no connection, and why; ``None`` if it was closed on purpose.

        Refused credentials are told to all subscriptions, once. If another attempt *goes_on* at once, callers that wait keep waiting.
        """
        with self._changed:
            is_news = not goes_on and is_refusal(error) and not is_refusal(self._last_loss)
            everybody = self._groups.all()
            self._is_open = False
            self._state.lost()
            if error is not None and not goes_on:
                self._losses += 1
                self._last_loss = error
            self._changed.notify_all()
        if self._reporter is not None:
            self._reporter.lost(error)
        for subscription in everybody:
            subscription.disconnected()
            if is_news and error is not None:
                subscription.refused(error)

    def outgoing(self, now: float) -> tuple[list[bytes], int | None, float | None]:
        """Return the commands to send now, the ping to follow them, and when to be asked again."""
        with self._changed:
            epoch = self._state.epoch
            looks = self._state.to_look_at(now)
            commands = [command.encode() for command in self._state.outgoing(_COMMANDS)]
            ping = self._state.ping()
            actions = self._timers.take(now)
            times = (self._state.next_look(), self._timers.next())
            due = now if len(commands) == _COMMANDS else min((time for time in times if time is not None), default=None)
        for key in looks:
            self._looking.look(key, epoch)
        for action in actions:
            action()
        return commands, ping, due

    def _look_around(self, epoch: int) -> None:
        """Look at all streams and subscribe to them again, again and again, for as long as the connection lasts."""
        with self._changed:
            if epoch != self._state.epoch:
                return
            for key in self._state.wanted:
                self._state.again(key)
        self.call_later(self._timing.quiet * _LOOK_AROUND, partial(self._look_around, epoch))

    def told(self, text: bytes) -> None:
        """Take a message of the server; raises `RemoteProtocolError` if it makes no sense."""
        told = hear(text, self._is_indexed, self._group)
        if isinstance(told, Done):
            self._done(told)
        elif isinstance(told, Failed):
            self._failed(told)
        elif isinstance(told, Gap):
            for subscription in self._group((told.stream, "")):
                subscription.follower.gap(told.after)
        elif isinstance(told, Lost):
            for subscription in self._group((told.stream, told.transform)):
                subscription.follower.lost(told.number)
        elif isinstance(told, Ended):
            self._ended(told)

    def pong(self, number: int) -> None:
        """Note that the server has obeyed all commands that were sent before the ping with that number."""
        with self._changed:
            live = self._state.pong(number)
            if live:
                self._changed.notify_all()
            watching = [subscription for key in live for subscription in self._groups.of(key)]
        for subscription in watching:
            # only in a moment will it really tell of inserts: see `_SETTLING`
            follower = subscription.follower
            self.call_later(_SETTLING, partial(follower.obeyed, follower.beginnings))
            self.call_later(_SETTLING * 2, follower.look)

    def _group(self, key: Key) -> Sequence[Subscription]:
        return self._groups.of(
            key
        )  # without the lock, as this is called for every message: groups are only ever replaced

    def _done(self, done: Done) -> None:
        with self._changed:
            key = self._state.done(done.id)
            if key is None:
                return
            self._troubles.forget(key)
            seen = Seen(done.index or 0, done.series, done.ephemeral)
            for subscription in self._groups.of(key):
                subscription.began(seen, unread=False)
            self._changed.notify_all()

    def _failed(self, failed: Failed) -> None:
        with self._changed:
            key = self._state.asked(failed.id)
            if key is None or self._state.failed(failed.id, self._again_at(key)) is None:
                return
        self._cannot_be_watched(key, as_refusal(failed, key[0]))

    def _ended(self, ended: Ended) -> None:
        key = (ended.stream, ended.transform)
        with self._changed:
            self._state.lost_sight(key, self._again_at(key))
            group = self._groups.of(key)
        for subscription in group:
            subscription.ended(ended.reason)
        self.wake()

    def _again_at(self, key: Key) -> float:
        return self._clock.monotonic() + self._timing.backoff.pause(self._state.failures(key) + 1, random.random)

    def _cannot_be_watched(self, key: Key, error: ConnectorDBError) -> None:
        """Note why *key* cannot be watched; if that is a refusal (not there, not allowed), tell its subscriptions, once."""
        reason = gone_reason(error)
        with self._changed:
            group = self._groups.of(key)
            is_news = bool(group) and self._troubles.add(key, error)
            self._changed.notify_all()
        log.info("live: %s cannot be watched now: %s", key[0], error)
        self.wake()  # so that the loop learns when to try again
        for subscription in group:
            if reason is not None and subscription.follower.is_begun:
                subscription.ended(reason)
            elif is_news and not subscription.follower.is_begun:
                subscription.refused(error)

    # --- on the threads that look at streams --------------------------------------------------------------------------

    def wanting(self, key: Key, epoch: int) -> Sequence[Subscription]:
        """Return who wants a look that was asked for in *epoch*; nobody, if the connection was lost since: then another one follows."""
        with self._changed:
            return self._groups.of(key) if epoch == self._state.epoch else ()

    def was_seen(self, key: Key, epoch: int, seen: Seen, wanting: Sequence[Subscription]) -> None:
        """Note that a stream exists and is readable, so that the server may be told."""
        with self._changed:
            if epoch != self._state.epoch:
                return
            self._troubles.forget(key)
            self._state.readable(key, epoch)
            group = self._groups.of(key)
            if set(group) - set(wanting):  # one was added after the look, and has to begin with what is there now
                self._state.again(key)
        for subscription in [each for each in group if each in wanting]:
            subscription.began(seen, unread=True)
        self.wake()

    def could_not_be_seen(self, key: Key, epoch: int, error: ConnectorDBError) -> None:
        """Note that a stream does not exist or is not readable, or that looking failed."""
        with self._changed:
            self._state.not_readable(key, epoch, self._again_at(key))
        self._cannot_be_watched(key, error)
