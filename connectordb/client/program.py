"""The part of `ConnectorDB` that is about the program: functions called on a schedule, waiting for a signal, closing."""

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
    """The default of a parameter for a function: without one, the method is a decorator. (``None`` is refused as no function.)"""

    def __repr__(self) -> str:
        return "<the decorated one>"


_DECORATED: Any = _Decorated()

#: Seconds between two looks for a signal, where `run` also runs the callbacks (``threads=0``).
_PUMPED = 0.1


class Program(Device):
    """A device that is logged in, with the program that uses it."""

    #: The scheduled functions; created at the first use.
    _schedule: Schedule | None = None
    #: Whether `close` was called, and whether it is done.
    _is_closed = _has_closed = False

    #: Where `run`, while it runs, waits for the number of a signal, or for 0 once the connection is closed.
    _ended: SimpleQueue[int] | None = None

    # --- scheduled functions ------------------------------------------------------------------------------------------

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
        Call a function every so many seconds, on a background thread::

            @cdb.every(10)
            def measure():
                cdb["temperature"].insert(sensor.read())

        Calls are due at fixed multiples of the period and do not drift. There is never more than one call of a function at a time:
        those that become due while one still runs are left out. An exception is logged with its traceback, and the calls go on.
        `close` ends them; a forked child does not make them.

        Args:
            seconds: The time from the start of one call to the start of the next.
            function: Called without arguments. Without it, `every` is a decorator.
            first: Seconds until the first call; by default as many as between two calls. With 0 it may run before `every` returns.
            on_error: Called with what the function raises.

        Returns:
            A `connectordb.client.scheduling.Job`. Calling it calls the function; its `cancel` ends the calls, also from within the
            function.

        Raises:
            LocalProtocolError: *seconds* is no valid time, or *function* cannot be called.
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
        Call a function once, after so many seconds, on a background thread: ``cdb.after(5, lamp_off)``.

        Args:
            seconds: The time from now until the call.
            function: As for `every`.
            on_error: As for `every`.

        Returns:
            A `connectordb.client.scheduling.Job`, as for `every`.

        Raises:
            LocalProtocolError: *seconds* is no valid time, or *function* cannot be called.
            ClosedError: The connection was closed.
        """
        pause = _seconds("after", seconds)
        if function is _DECORATED:
            return lambda function: self.after(pause, function, on_error=on_error)
        return self._scheduled().after(pause, _checked(function), on_error)

    def _scheduled(self) -> Schedule:
        from .scheduling import Schedule  # loaded only if it is used

        self._check_open()
        schedule = self._schedule
        if schedule is None:
            # setdefault, as two threads may get here at the same time
            schedule = self.__dict__.setdefault("_schedule", Schedule(self._session.clock))
            self._check_open()  # close() ends the schedule if there is one; it may have looked just before
        return schedule

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedError(f"the connection to {self._session.url} was closed; make a new ConnectorDB")

    # --- staying alive ------------------------------------------------------------------------------------------------

    def run(self, *, timeout: float = 10.0) -> None:
        """
        Keep the program running until SIGINT (Ctrl-C) or SIGTERM arrives or the connection is closed; then close it.

        Subscriptions and scheduled functions go on meanwhile. Once closing begins, signals have their former effect again, so a
        second Ctrl-C ends the program at once.

        Args:
            timeout: As for `close`.

        Raises:
            LocalProtocolError: This is not the main thread, which alone receives signals.
            ClosedError: The connection was closed before.
        """
        if threading.current_thread() is not threading.main_thread():
            raise LocalProtocolError("run() waits for signals, which come to the main thread: call it there")
        self._check_open()
        import signal  # needed only here

        ended: SimpleQueue[int] = SimpleQueue()  # its put is reentrant, so a signal handler may call it
        before: dict[int, Any] = {}
        self._ended = ended
        try:
            try:
                for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
                    number = getattr(signal, name, None)
                    # an ignored signal stays ignored: shells ignore SIGINT for what they start with &
                    if number is not None and signal.getsignal(number) not in (None, signal.SIG_IGN):
                        before[number] = signal.signal(number, lambda number, frame: ended.put(number))
                came = self._wait(ended)
            finally:
                self._ended = None
                for number, handler in before.items():
                    signal.signal(number, handler)
            if came:
                log.info("%s: closing", signal.Signals(came).name)
            if not ended.empty() and ended.get():  # a second signal came before the former handlers were back
                raise KeyboardInterrupt
            self.close(timeout=timeout)
        except BaseException:  # usually the second Ctrl-C
            self.close(timeout=0.0)
            raise

    def _wait(self, ended: SimpleQueue[int]) -> int:
        """Wait for a signal, and return its number; 0 if another thread has closed the connection."""
        is_pumped = self._session.live_options.get("threads") == 0
        while not self._has_closed:
            try:
                return ended.get(timeout=_PUMPED if is_pumped else AT_A_TIME)
            except Empty:
                if is_pumped and self._session.has_live:
                    self._session.live.pump(_PUMPED)
        return 0

    # --- the end ------------------------------------------------------------------------------------------------------

    def close(self, *, timeout: float = 10.0) -> None:
        """
        End every scheduled function, subscription, thread and socket. Calling it again does nothing.

        Args:
            timeout: Seconds for which running functions and callbacks are waited for. What still runs then is logged and left
                alone.
        """
        deadline = Deadline(_seconds("close: timeout=", timeout), self._session.clock)
        was_closed, self._is_closed = self._is_closed, True
        try:
            if self._schedule is not None and not was_closed:
                self._schedule.close(deadline)
        except BaseException:  # Ctrl-C: do not wait any longer
            deadline = Deadline(0.0, self._session.clock)
            raise
        finally:
            self._session.close(deadline.left() or 0.0)
            self._has_closed = True
            if (ended := self._ended) is not None:
                ended.put(0)

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()


def _seconds(what: str, given: object, above: float | None = None) -> float:
    """Return a time that was given in seconds or as a timedelta, in seconds; it must not be equal to *above*."""
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
    from inspect import iscoroutinefunction  # slow to load

    if iscoroutinefunction(function):
        raise LocalProtocolError(
            f"{function.__qualname__} is a coroutine function, and there is no event loop to run it in; schedule a function "
            "that hands it to yours, with asyncio.run_coroutine_threadsafe"
        )
    return function
