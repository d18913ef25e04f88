"""Makes several calls at the same time, for callers that need all of their results."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..session import Session

T = TypeVar("T")

#: How many calls are under way at a time: enough to hide the latency, without crowding the server.
_AT_ONCE = 8


def together(session: Session, calls: Sequence[Callable[[], T]]) -> list[T]:
    """
    Run functions that ask the server, several at the same time, and return their results in order.

    They have the options that this thread has chosen for its calls, and are measured with its own. Once a function fails, no other
    is begun; of several errors, that of the first function in order is raised. Ctrl-C ends the wait at once; calls that are under
    way on other threads end by themselves.

    Args:
        session: The session that the functions use.
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
            except RuntimeError:  # the system gives us no thread; those that there are do it
                break
            threads.append(thread)
        work()
        for thread in threads:
            while thread.is_alive():  # it ends, as each of its calls has a deadline
                thread.join(1.0)
    except BaseException:
        waiting.clear()
        raise
    if failed:
        raise failed[min(failed)]
    return [found[number] for number in range(len(calls))]
