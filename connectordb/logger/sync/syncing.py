"""When a Logger syncs, and what follows from the outcome: passes on demand and in the background, callbacks, pauses after failures."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from ...exceptions import AuthenticationError, ClosedError, ConnectorDBError, ResponseError
from ...runtime.backoff import Backoff
from ...runtime.clock import Clock, Deadline
from ..file import Busy, Holder, Turn
from ..rows import Activity, Delivery, Store
from . import plan
from .batches import Memory
from .links import Links, WrongClock
from .passes import RARELY, Pass
from .periodic import Periodic
from .sending import Report, Stopped

log = logging.getLogger(__name__)

#: Seconds that a sync waits for a sync of another process to end, and that ``close`` waits for our own.
LOCK_WAIT = 30.0

#: Seconds that ``close`` gives a request that is under way before it ends the connection.
_GRACE = 5.0

#: Seconds that a pass of `flush` waits for another pass to end, before it looks whether that one did what was wanted.
_GLANCE = 1.0

#: Seconds of pause after a first failure, and the most after many, unless the period is shorter, or longer; and how many periods
#: the pause is at most, so that a program with a short period is soon quick again once the server is back.
_FIRST, _LONGEST, _PERIODS = 5.0, 60.0, 5.0


class Owner(Protocol):
    """The Logger, as syncing knows it."""

    onsync: Callable[[], object] | None
    onsyncfail: Callable[[Exception], object] | None
    syncraise: bool

    @property
    def syncperiod(self) -> float:
        """Seconds between two passes in the background."""

    def _reload_streams(self) -> None:
        """Read the streams from the file again."""

    def _look_at_clock(self) -> None:
        """Notice whether the clock was set."""

    def _look_for_server(self) -> None:
        """Use another server, or another key, if another process has put it into the file."""

    def _set_lastsynctime(self, now: float, keep: bool) -> None:
        """Remember when a pass succeeded; in the file, too, if *keep*."""


class Syncing:
    """
    Runs the passes of a Logger, and tells its callbacks how they went.

    Args:
        owner: The Logger.
        store: Its file.
        links: Its connections.
        turn: The lock that lets one pass at a time sync the file.
        clock: The clocks.
        restamp: Whether points that are older than what a stream holds get later times; otherwise they are set aside.

    Attributes:
        patience: Seconds to wait for a late copy: `plan.WAIT`, but for tests.
    """

    def __init__(self, owner: Owner, store: Store, links: Links, turn: Turn, clock: Clock, restamp: bool) -> None:
        self._owner, self._store, self._links, self._turn, self._clock = owner, store, links, turn, clock
        self.patience = plan.WAIT
        self._restamp = restamp
        self._memory = Memory()
        self._closing = threading.Event()
        self._upto: Mapping[int, int] | None = (
            None  # for the first pass in the background: what waited when it was started
        )
        self._periodic = Periodic(self._in_background, lambda: self._pause, clock)
        # guards starting, and adding to the deliveries
        self._lock = threading.RLock()
        self._deliveries: set[Delivery] = set()
        self._failures = 0  # in a row, of a refused key or of anything else
        self._refused = False  # whether the last of them was that of a refused key
        self._pause = 0.0  # seconds until the next pass in the background

    def now(self) -> None:
        """Run a pass, and raise its failure if the program wants that."""
        error = self._pass(self._store.points.newest(), self._closing, LOCK_WAIT, patient=False)
        if error is not None:
            handler = self._owner.onsyncfail
            if handler(error) if handler is not None else self._owner.syncraise:
                raise error

    def start(self) -> None:
        """On a thread, run a pass for what waits now, and then one every period."""
        if self._closing.is_set():
            raise ClosedError("the Logger was closed")
        with self._lock:
            if self._periodic.is_running:
                log.warning("start(): the Logger syncs in the background already")
                return
            self._upto = self._store.points.newest()
            self._periodic.start()

    def stop(self) -> None:
        """End the thread; a pass that is under way ends after its current request."""
        self._periodic.stop(LOCK_WAIT)

    def close(self) -> None:
        """End all syncing for good; may be called twice."""
        with self._lock:
            self._closing.set()
        if self._store.is_amid:
            # the threads may wait for what this signal handler interrupted: they find the file closed
            self._ended(0.0)
        elif not self._ended(_GRACE):
            # cut its request off: the next pass finds out what became of it, as after a kill
            self._links.close()
            self._ended(LOCK_WAIT)

    def _ended(self, within: float) -> bool:
        deadline = Deadline(within)
        ends = [self._periodic.stop, *(delivery.end for delivery in list(self._deliveries))]
        return all([end(deadline.left() or 0.0) for end in ends])

    def flush(self, timeout: float) -> bool:
        """Run passes until no point that waits now still waits, or the time is up; tell whether that was achieved."""
        delivery = self._store.delivery(
            lambda stopping: self._reported(self._store.points.newest(), stopping, _GLANCE, patient=False),
            self._clock,
            self._deliveries.discard,
        )
        with self._lock:
            if self._closing.is_set():
                raise ClosedError("the Logger was closed")
            self._deliveries.add(delivery)
        return delivery.wait(timeout)

    def activity(self) -> Activity:
        """Return what is being done about the file now."""
        holder = self._turn.holder()
        return Activity(
            background=self._periodic.is_running,
            syncing=holder is Holder.HERE,
            elsewhere=holder is Holder.ELSEWHERE,
            next_try=self._periodic.left,
        )

    def period_changed(self) -> None:
        """Begin a new period now."""
        self._pause = self._seconds_to_wait(None)
        self._periodic.changed()

    def address_changed(self) -> None:
        """Forget earlier failures: there is another server, or key, and it may be tried at once."""
        self._memory.resting.clear()
        if self._failures:
            self._failures, self._pause = 0, 0.0
            self._periodic.changed()

    def _in_background(self, stopping: threading.Event) -> None:
        upto, self._upto = self._upto, None
        try:
            self._reported(self._store.points.newest() if upto is None else upto, stopping, 0.0, patient=True)
        except ClosedError:
            return  # the Logger was closed meanwhile; this thread ends anyway

    def _reported(
        self, upto: Mapping[int, int], stopping: threading.Event, wait: float, patient: bool
    ) -> Exception | None:
        """Run a pass whose failure can be raised to nobody; tell `onsyncfail`, and return the failure."""
        error: Exception | None = None
        try:
            error = self._pass(upto, stopping, wait, patient)
            if error is not None and self._owner.onsyncfail is not None:
                self._owner.onsyncfail(error)
        except ClosedError:
            raise
        except Exception:
            log.exception("a callback of the Logger failed")
        return error

    def _pass(self, upto: Mapping[int, int], stopping: threading.Event, wait: float, patient: bool) -> Exception | None:
        """Run a pass as soon as nobody else syncs, within *wait* seconds; *patient* is as in `Pass.run`. Return its failure."""
        in_background = stopping is not self._closing
        try:
            # the clock may have been set since the newest point came, and the machine may be off before another one comes
            if upto:
                self._owner._look_at_clock()
            self._owner._look_for_server()
            with self._turn.taken(wait), self._links.elsewhere() as elsewhere:
                one = Pass(
                    self._store,
                    self._links.here(),
                    elsewhere,
                    self._clock,
                    stopping,
                    self.patience,
                    self._restamp,
                    self._memory,
                )
                self._store.bounds.expire()
                report = one.run(upto, patient)
            if report.schemas_changed:
                self._owner._reload_streams()
            if report.failed:
                raise next(iter(report.failed.values()))
        except (Stopped, ClosedError):
            if self._closing.is_set() or in_background:
                return None
            raise
        except Busy as error:
            if not in_background:
                return self._failed(error)
            log.debug("%s", error)
            return None
        except (ConnectorDBError, OSError) as error:
            self._store.outcomes.failed(error, self._clock.wall())
            return self._failed(error)
        self._succeeded(report)
        return None

    def _succeeded(self, report: Report) -> None:
        self._failures, self._pause = 0, self._owner.syncperiod
        self._store.outcomes.succeeded()
        if report.confirmed:
            log.info("synced %d points", report.confirmed)
        # a pass that sent nothing does not write to the file
        self._owner._set_lastsynctime(self._clock.wall(), keep=report.confirmed > 0)
        if self._owner.onsync is not None:
            self._owner.onsync()

    def _failed(self, error: Exception) -> Exception:
        refused = isinstance(error, AuthenticationError) and error.status == 401
        self._failures = self._failures + 1 if refused is self._refused else 1
        self._refused = refused
        self._pause = self._seconds_to_wait(error)
        log.warning("sync failed, %s points wait: %s", self._store.points.waiting(), error)
        return error

    def _seconds_to_wait(self, error: Exception | None) -> float:
        """Return how long the background thread leaves the server alone after *error*."""
        period = self._owner.syncperiod
        if not self._failures:
            return period
        if self._refused:  # seldom in the end, but at first soon again: the device may just be about to be created
            longest = max(period, RARELY)
        elif isinstance(error, WrongClock):  # when the clock is set has nothing to do with the period
            longest = _LONGEST
        else:
            longest = max(period, min(_LONGEST, _PERIODS * period))
        asked = error.retry_after if isinstance(error, ResponseError) else None
        return max(Backoff(min(period, _FIRST), longest).pause(self._failures, random.random), asked or 0.0)
