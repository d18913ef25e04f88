"""A program that lives by a connection: functions that are called at times, staying alive until somebody ends it, and the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..exceptions import ClosedError, LocalProtocolError
from ..runtime.clock import AT_A_TIME, Deadline
from .device import Device

if TYPE_CHECKING:
    from typing_extensions import Self

    from .scheduling import Job, OnError, Schedule

log = logging.getLogger(__name__)

R = TypeVar("R")


class _Decorated:
    """Stands where no function was passed, as one is decorated."""

    def __repr__(self) -> str:
        return "<the decorated one>"


_DECORATED: Any = _Decorated()

#: Seconds between two looks at the signals, where callbacks run on the thread that waits for them.
_PUMPED = 0.1


class Program(Device):
    """A device that is logged in, and the program that it is logged in from."""

    #: What is called at times; made when first asked for.
    _schedule: Schedule | None = None
    #: Whether somebody has begun to close it, and whether that is done.
    _is_closed = _has_closed = False

    #: What `run` waits for, while it does.
    _told: SimpleQueue[int] | None = None

    # --- functions at times -------------------------------------------------------------------------------------------

    @overload
    def every(
        self, seconds: float | timedelta, *, first: float | timedelta | None = None, on_error: OnError | None = None
    ) -> Callable[[Callable[[], R]], Job[R]]: ...
    @overload
    def every(
        self,
        seconds: float | timedelta,
        function: Callable[[], R],
        *,
        first: float | timedelta | None = None,
        on_error: OnError | None = None,
    ) -> Job[R]: ...
    def every(
        self,
        seconds: float | timedelta,
        function: Callable[[], Any] = _DECORATED,
        *,
        first: float | timedelta | None = None,
        on_error: OnError | None = None,
    ) -> Any:
        """
        Have a function called every so many seconds, on a thread of its own::

            @cdb.every(10)
            def measure():
                cdb["temperature"].insert(sensor.read())

        The first call comes after that time, the others at multiples of it after the first, and do not drift. A call that takes longer than that has those
        left out that were due meanwhile: there is never more than one at a time, and none waits for another. One that raises
        is logged with its traceback, and the next one comes all the same. `close` ends it; a child process does not have it.

        Args:
            seconds: Between the beginnings of two calls.
            function: Called without arguments; without it, this is a decorator.
            first: Seconds until the first call, if it is not to be as many as between two. With 0 it may come before this has returned.
            on_error: Called with what the function raises.

        Returns:
            A `connectordb.client.scheduling.Job`, which calls the function if called, and has `cancel`; the function itself may do that.

        Raises:
            LocalProtocolError: *seconds* are none, or *function* cannot be called.
            ClosedError: The connection was closed.
        """
        period = _seconds("every", seconds, above=0.0)
        begin = period if first is None else _seconds("first=", first)
        if function is _DECORATED:
            return lambda function: self.every(period, function, first=begin, on_error=on_error)
        return self._scheduled().every(period, _checked(function), begin, on_error)

    @overload
    def after(
        self, seconds: float | timedelta, *, on_error: OnError | None = None
    ) -> Callable[[Callable[[], R]], Job[R]]: ...
    @overload
    def after(
        self, seconds: float | timedelta, function: Callable[[], R], *, on_error: OnError | None = None
    ) -> Job[R]: ...
    def after(
        self,
        seconds: float | timedelta,
        function: Callable[[], Any] = _DECORATED,
        *,
        on_error: OnError | None = None,
    ) -> Any:
        """
        Have a function called once, after so many seconds, on a thread of its own: ``cdb.after(5, lamp_off)``.

        Args:
            seconds: From now.
            function: As for `every`.
            on_error: As for `every`.

        Returns:
            A `connectordb.client.scheduling.Job`, as `every`.

        Raises:
            LocalProtocolError: *seconds* are none, or *function* cannot be called.
            ClosedError: The connection was closed.
        """
        pause = _seconds("after", seconds)
        if function is _DECORATED:
            return lambda function: self.after(pause, function, on_error=on_error)
        return self._scheduled().after(pause, _checked(function), on_error)

    def _scheduled(self) -> Schedule:
        from .scheduling import Schedule  # loaded by who uses it

        self._check_open()
        schedule = self._schedule
        if schedule is None:
            # by setdefault, as two threads may be here
            schedule = self.__dict__.setdefault("_schedule", Schedule(self._session.clock))
            self._check_open()  # close() ends the schedule that it finds; this one may have come just after
        return schedule

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedError(f"the connection to {self._session.url} was closed; make a new ConnectorDB")

    # --- staying alive ------------------------------------------------------------------------------------------------

    def run(self, *, timeout: float = 10.0) -> None:
        """
        Hold the program until SIGINT (Ctrl-C) or SIGTERM comes, or somebody closes the connection; then close it.

        Subscriptions and scheduled functions go on meanwhile. While it closes, the signals do what they did before: a second
        Ctrl-C ends the program at once.

        Args:
            timeout: As for `close`.

        Raises:
            LocalProtocolError: This is not the main thread, which is the one that signals come to.
            ClosedError: The connection was closed before.
        """
        if threading.current_thread() is not threading.main_thread():
            raise LocalProtocolError("run() waits for signals, which come to the main thread: call it there")
        self._check_open()
        import signal  # by who waits for one

        told: SimpleQueue[int] = SimpleQueue()  # the one thing of ours that a signal's handler may touch
        before: dict[int, Any] = {}
        self._told = told
        try:
            try:
                for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
                    number = getattr(signal, name, None)
                    # one that is ignored (a shell does that to what it starts with &) remains so
                    if number is not None and signal.getsignal(number) not in (None, signal.SIG_IGN):
                        before[number] = signal.signal(number, lambda number, frame: told.put(number))
                came = self._wait(told)
            finally:
                self._told = None
                for number, handler in before.items():
                    signal.signal(number, handler)
            if came:
                log.info("%s: closing", signal.Signals(came).name)
            if not told.empty() and told.get():  # another one came before the handlers were back
                raise KeyboardInterrupt
            self.close(timeout=timeout)
        except BaseException:  # the second Ctrl-C
            self.close(timeout=0.0)
            raise

    def _wait(self, told: SimpleQueue[int]) -> int:
        """Wait for a signal, or for somebody else's `close` to be done: 0."""
        is_pumped = self._session.live_options.get("threads") == 0
        while not self._has_closed:
            try:
                return told.get(timeout=_PUMPED if is_pumped else AT_A_TIME)
            except Empty:
                if is_pumped and self._session.has_live:
                    self._session.live.pump(_PUMPED)
        return 0

    # --- the end ------------------------------------------------------------------------------------------------------

    def close(self, *, timeout: float = 10.0) -> None:
        """
        End every scheduled function, subscription, thread and socket; calling it twice does nothing.

        Args:
            timeout: Seconds for functions and callbacks that run now to end. What has not is logged, and not called again.
        """
        deadline = Deadline(_seconds("close: timeout=", timeout), self._session.clock)
        was_closed, self._is_closed = self._is_closed, True
        try:
            if self._schedule is not None and not was_closed:
                self._schedule.close(deadline)
        except BaseException:  # Ctrl-C, of somebody who does not want to wait any more
            deadline = Deadline(0.0, self._session.clock)
            raise
        finally:
            self._session.close(deadline.left() or 0.0)
            self._has_closed = True
            if (told := self._told) is not None:
                told.put(0)

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()


def _seconds(what: str, given: object, above: float | None = None) -> float:
    """Return seconds that were given as a number or a timedelta."""
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, (int, float))
        or not 0 <= seconds < threading.TIMEOUT_MAX
        or seconds == above
    ):
        least = "0 or more" if above is None else "above 0"
        raise LocalProtocolError(f"{what} {given!r}: expected seconds, {least} and finite, or a timedelta")
    return float(seconds)


def _checked(function: Any) -> Any:
    if not callable(function):
        raise LocalProtocolError(f"{function!r} cannot be called: expected a function without arguments")
    from inspect import iscoroutinefunction  # not free to load

    if iscoroutinefunction(function):
        raise LocalProtocolError(
            f"{function.__qualname__} is a coroutine function, and there is no event loop to run it in; schedule a function "
            "that hands it to yours, with asyncio.run_coroutine_threadsafe"
        )
    return function
