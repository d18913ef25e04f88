"""What a thread has chosen for the calls of a block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...runtime.clock import Deadline
from ..retry import Retry
from ..timeouts import Timeout


class Options(threading.local):
    """
    Those of each thread.

    Attributes:
        timeout: How long each call may take; ``None`` for as long as usual.
        retry: How often it is sent; ``None`` for as often as usual.
        deadline: When all calls have to have ended, if they have; servers are told.
        whole: When what is one call to the user has to have ended, though it is several to the server.
    """

    timeout: Timeout | None = None
    retry: Retry | None = None
    deadline: Deadline | None = None
    whole: Deadline | None = None

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

    @contextmanager
    def chosen(
        self, *, timeout: Timeout | None = None, retry: Retry | None = None, deadline: Deadline | None = None
    ) -> Iterator[None]:
        """Have this thread's calls in the block go by what is not ``None``."""
        before = self.timeout, self.retry, self.deadline
        try:
            self.timeout, self.retry = timeout or self.timeout, retry or self.retry
            self.deadline = deadline if deadline is not None else self.deadline
            yield
        finally:
            self.timeout, self.retry, self.deadline = before
