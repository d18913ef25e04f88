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

#: Commands handed to the connection in one go.
_COMMANDS = 500

#: Seconds from when an original server has obeyed a subscribe until inserts of others come: it tells a message broker of
#: its own, without waiting for it. (Measured, busy: 6 of 180 inserts made right after the pong did not come.)
_SETTLING = 0.1

#: So many times the silence after which a server is pinged, and streams are looked at and subscribed to again: an original ends
#: subscriptions silently.
_LOOK_AROUND = 4


class Switchboard:
    """
    What the loop asks and tells (its `Handler`), and what `Live` changes.

    Args:
        look: Returns what is seen of a subscription's stream; raises if it is not there, or not readable.
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
        #: Set by `close`, for those who wait without the lock.
        self._closing = threading.Event()

    # --- for users' threads -------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        with self._changed:
            return self._is_open

    @property
    def losses(self) -> int:
        """How often a connection was lost, or could not be made."""
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
        Want *subscription*; *start* is called before anybody can close.

        Args:
            subscription: What is wanted.
            replace: Whether it takes the place of those with the same key.
            start: Starts the loop.

        Returns:
            What it replaces, still to be finished, and the number of losses so far.
        """
        key = subscription.key
        with self._changed:
            self.check_open()
            start()  # first: where no thread can be had, nothing is wanted
            replaced = self._groups.add(subscription, replace)
            self._troubles.forget(key)
            self._state.subscribe(key)
            return replaced, self._losses

    def wait_until_live(self, subscription: Subscription, losses: int, deadline: Deadline) -> bool:
        """
        Wait until the server has obeyed; tell whether it has in time.

        Raises:
            ConnectorDBError: It refused, or failed; or the connection was lost, or could not be made, since there were so many
                *losses*.
            ClosedError: Somebody closed.
        """
        key = subscription.key

        def is_live() -> bool:
            if self._state.state(key) is State.LIVE and subscription.follower.is_begun:
                return True
            if not self._closed and subscription not in self._groups.of(key):
                return True  # somebody has ended it meanwhile, which is as good
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
        """Wait until there is a connection; tell and raise as `wait_until_live`."""
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
        """Undo `add`: what was replaced is back."""
        with self._changed:
            if not self._groups.put_back(replaced, subscription):
                self._forget([subscription])
                return
            self._state.again(subscription.key)
            for other in replaced:
                other.disconnected()  # if it was, nobody told them

    def remove(self, ended: Sequence[Subscription]) -> None:
        """Want some no longer."""
        with self._changed:
            self._forget(ended)

    def close(self) -> list[Subscription]:
        """Want nothing any more, and take nothing more; return what was wanted."""
        with self._changed:
            self._closed = True
            self._closing.set()
            ended = self._groups.all()
            self._forget(ended)
            return ended

    def finish(self, deadline: Deadline) -> None:
        """Wait for the threads that look."""
        self._looking.close(deadline)

    def public(self, path: str, transform: str) -> list[Subscription]:
        """Return those that others may replace, and end, as `Groups.public`."""
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
        """Have the server told of *key* once more."""
        with self._changed:
            self._state.again(key)
        self.wake()

    def call_later(self, seconds: float, action: Action) -> None:
        """Have *action* done by the loop's thread after so many seconds, or when there is a connection again."""
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
        """Tell whether the server was told something that it has not answered."""
        return self._state.is_waiting  # once a message: without the lock

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
        """Note that there is none, and why; a refusal of the credentials is told, once. *goes_on*: who waits goes on waiting."""
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
        """Look at all streams, and subscribe again; and so after a while, as long as it is the same connection."""
        with self._changed:
            if epoch != self._state.epoch:
                return
            for key in self._state.wanted:
                self._state.again(key)
        self.call_later(self._timing.quiet * _LOOK_AROUND, partial(self._look_around, epoch))

    def told(self, text: bytes) -> None:
        """Take what the server says; raises `RemoteProtocolError` if that makes no sense."""
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
        """Note that the server has obeyed what it was told before that ping."""
        with self._changed:
            live = self._state.pong(number)
            if live:
                self._changed.notify_all()
            watching = [subscription for key in live for subscription in self._groups.of(key)]
        for subscription in watching:
            # an insert of just now may not be told yet, see above
            follower = subscription.follower
            self.call_later(_SETTLING, partial(follower.obeyed, follower.beginnings))
            self.call_later(_SETTLING * 2, follower.look)

    def _group(self, key: Key) -> Sequence[Subscription]:
        return self._groups.of(key)  # once a message: without the lock, as a group is never changed, but replaced

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
        """Tell it, once, if it is a refusal: not there, or not allowed."""
        reason = gone_reason(error)
        with self._changed:
            group = self._groups.of(key)
            is_news = bool(group) and self._troubles.add(key, error)
            self._changed.notify_all()
        log.info("live: %s cannot be watched now: %s", key[0], error)
        self.wake()  # it is to be tried again
        for subscription in group if is_news else ():
            if not subscription.follower.is_begun:
                subscription.refused(error)
            elif reason is not None:
                subscription.ended(reason)

    # --- on the lookers' threads --------------------------------------------------------------------------------------

    def wanting(self, key: Key, epoch: int) -> Sequence[Subscription]:
        """Return who wants it to be looked at; nobody, if the connection was lost meanwhile: it will be looked at again."""
        with self._changed:
            return self._groups.of(key) if epoch == self._state.epoch else ()

    def was_seen(self, key: Key, epoch: int, seen: Seen, wanting: Sequence[Subscription]) -> None:
        """Note that a stream is there and readable, so that the server may be told."""
        with self._changed:
            if epoch != self._state.epoch:
                return
            self._troubles.forget(key)
            self._state.readable(key, epoch)
            group = self._groups.of(key)
            if set(group) - set(wanting):  # who came meanwhile begins with what is there now
                self._state.again(key)
        for subscription in [each for each in group if each in wanting]:
            subscription.began(seen, unread=True)
        self.wake()

    def could_not_be_seen(self, key: Key, epoch: int, error: ConnectorDBError) -> None:
        """Note that it is not, or that nobody knows."""
        with self._changed:
            self._state.not_readable(key, epoch, self._again_at(key))
        self._cannot_be_watched(key, error)
