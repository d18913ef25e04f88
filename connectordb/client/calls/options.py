"""`Options`: what a thread has chosen for the calls of a ``with`` block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager

from ...runtime.clock import Deadline
from ..terms import Retry, Timeout


class Options(threading.local):
    """
    The options of each thread.

    Attributes:
        timeout: How long each call may take; ``None`` for the session's default.
        retry: How often a request is sent; ``None`` for the session's default.
        deadline: When all calls have to be over, if there is such a time; servers are told.
        whole: When several requests that are one call to the user have to be over.
        before: The values before each block that the thread is in, the outermost first.
    """

    timeout: Timeout | None = None
    retry: Retry | None = None
    deadline: Deadline | None = None
    whole: Deadline | None = None
    before: tuple[tuple[Timeout | None, Retry | None, Deadline | None], ...] = ()

    def handed_over(self) -> Callable[[], None]:
        """Return a function that another thread calls to have the options that this one has now."""
        mine = dict(self.__dict__)
        return lambda: self.__dict__.update(mine)

    @contextmanager
    def as_one_call(self, whole: Deadline) -> Iterator[None]:
        """Treat this thread's calls in the block as one, which has to be over at *whole*."""
        before = self.whole
        try:
            self.whole = whole
            yield
        finally:
            self.whole = before

    def chosen(
        self, *, timeout: Timeout | None = None, retry: Retry | None = None, deadline: Deadline | None = None
    ) -> Block:
        """Return a block in which those options hold that are not ``None``, and otherwise the present ones."""
        return Block(self, timeout, retry, deadline)


class Block(ContextDecorator):
    """
    A context manager for options. It may be entered any number of times, by any thread, and within itself.

    Args:
        options: The options of the threads.
        timeout: The timeout in the block; ``None`` leaves it as it is.
        retry: The retries in the block; ``None`` leaves them as they are.
        deadline: The deadline in the block; ``None`` leaves it as it is.
    """

    def __init__(
        self, options: Options, timeout: Timeout | None, retry: Retry | None, deadline: Deadline | None
    ) -> None:
        self._options = options
        self._chosen = timeout, retry, deadline

    def __enter__(self) -> None:
        """Set the options of this thread."""
        options, (timeout, retry, deadline) = self._options, self._chosen
        before = options.timeout, options.retry, options.deadline
        try:
            options.before = (*options.before, before)
            options.timeout, options.retry = timeout or options.timeout, retry or options.retry
            options.deadline = options.deadline if deadline is None else deadline
        except BaseException:  # Ctrl-C: a block that was not entered is not left, so this has to undo what was done
            if options.before and options.before[-1] is before:
                self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        """Restore the options that this thread had before."""
        options = self._options
        *others, (options.timeout, options.retry, options.deadline) = options.before
        options.before = tuple(others)
