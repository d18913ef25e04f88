"""What a thread has chosen for the calls of a block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager

from ...runtime.clock import Deadline
from ..terms import Retry, Timeout


class Options(threading.local):
    """
    Those of each thread.

    Attributes:
        timeout: How long each call may take; ``None`` for as long as usual.
        retry: How often it is sent; ``None`` for as often as usual.
        deadline: When all calls have to have ended, if they have; servers are told.
        whole: When what is one call to the user has to have ended, though it is several to the server.
        before: What held before each of the blocks that the thread is in.
    """

    timeout: Timeout | None = None
    retry: Retry | None = None
    deadline: Deadline | None = None
    whole: Deadline | None = None
    before: tuple[tuple[Timeout | None, Retry | None, Deadline | None], ...] = ()

    def handed_over(self) -> Callable[[], None]:
        """Return what makes a new thread, which calls it, go by what this one has chosen."""
        mine = dict(self.__dict__)
        return lambda: self.__dict__.update(mine)

    @contextmanager
    def as_one_call(self, whole: Deadline) -> Iterator[None]:
        """Have this thread's calls in the block be one, which has to have ended at *whole*."""
        before = self.whole
        try:
            self.whole = whole
            yield
        finally:
            self.whole = before

    def chosen(
        self, *, timeout: Timeout | None = None, retry: Retry | None = None, deadline: Deadline | None = None
    ) -> Block:
        """Return a block in which this thread's calls go by what is not ``None``."""
        return Block(self, timeout, retry, deadline)


class Block(ContextDecorator):
    """
    A block of code whose calls go by what was chosen for it; entered as often as one likes, by any thread, also within itself.

    Args:
        options: Those of the threads.
        timeout: As `Options` has it, where it is not ``None``.
        retry: Likewise.
        deadline: Likewise.
    """

    def __init__(
        self, options: Options, timeout: Timeout | None, retry: Retry | None, deadline: Deadline | None
    ) -> None:
        self._options = options
        self._chosen = timeout, retry, deadline

    def __enter__(self) -> None:
        """Have them hold."""
        options, (timeout, retry, deadline) = self._options, self._chosen
        before = options.timeout, options.retry, options.deadline
        try:
            options.before = (*options.before, before)
            options.timeout, options.retry = timeout or options.timeout, retry or options.retry
            options.deadline = options.deadline if deadline is None else deadline
        except BaseException:  # Ctrl-C; what is not entered is not left
            if options.before and options.before[-1] is before:
                self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        """Have those hold that held before."""
        options = self._options
        *others, (options.timeout, options.retry, options.deadline) = options.before
        options.before = tuple(others)
