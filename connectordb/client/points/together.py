"""Several calls at once, for whoever needs them all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..session import Session

T = TypeVar("T")

#: Calls that are under way at a time: what hides the way to the server, without being a crowd there.
_AT_ONCE = 8


def together(session: Session, calls: Sequence[Callable[[], T]]) -> list[T]:
    """
    Return what functions return that ask the server, in their order; some of them run at the same time.

    They go by what this thread has chosen for its calls, and are measured as its own. Once one fails no other begins, and of those
    that failed the first in order is raised. Ctrl-C ends the wait at once; calls of other threads come to their end by themselves.

    Args:
        session: Theirs.
        calls: The functions.
    """
    waiting = deque(enumerate(calls))
    found: dict[int, T] = {}
    failed: dict[int, Exception] = {}

    def work() -> None:
        while waiting and not failed:
            try:
                number, call = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                found[number] = call()
            except Exception as error:
                failed[number] = error

    helpers = min(len(calls), _AT_ONCE, session.options["pool_size"]) - 1
    threads: list[threading.Thread] = []
    try:
        for number in range(helpers):
            thread = threading.Thread(
                target=session.for_a_thread(work), name=f"connectordb-together-{number}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # there is none left: this one does it alone
                break
            threads.append(thread)
        work()
        for thread in threads:
            while thread.is_alive():  # each of its calls has its end
                thread.join(1.0)
    except BaseException:
        waiting.clear()
        raise
    if failed:
        raise failed[min(failed)]
    return [found[number] for number in range(len(calls))]
