"""Doing things ahead: while one answer is looked at, the next ones come in; while one insert is sent, the next is made."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice, repeat
from typing import TYPE_CHECKING, TypeVar

from ...protocol import rest

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Answers that are read in advance: one that is on its way, and one that the server is making.
READ_AHEAD = 2

#: Bytes of a text of which one at a time is enough in memory.
LARGE = 16 * 1024 * 1024


def read_ahead(session: Session, requests: Iterable[rest.Request[T]]) -> Iterator[T]:
    """
    Yield what the answers to *requests* say, in their order; while whoever takes one works on it, threads read the next ones.

    No more than `READ_AHEAD` are read in advance, nothing behind a text of more than `LARGE` bytes, and a single request by no
    thread. Who lets go before the end does not wait for what is under way: the threads end with their answers.

    Raises:
        ConnectorDBError: As `Session.call`, in the turn of the request that failed.
    """
    return _ahead(session, (partial(session.call, request) for request in requests), READ_AHEAD)


def make_ahead(session: Session, items: Iterator[T]) -> Iterator[T]:
    """
    Yield *items*; while whoever takes one works on it, the next is made by a thread.

    Raises:
        Exception: What making one raised, in its turn.
    """
    for item in _ahead(session, repeat(partial(next, items, None)), 1):
        if item is None:
            return
        yield item


def _ahead(session: Session, works: Iterable[Callable[[], T]], most: int) -> Iterator[T]:
    waiting = iter(works)
    #: What returns the next values; no name of this frame, as it may hold an error that holds this frame.
    coming: deque[Callable[[], T]] = deque(islice(waiting, 1))
    while coming:
        value = coming.popleft()()
        if isinstance(value, bytes) and len(value) > LARGE:
            coming.extend(islice(waiting, 0 if coming else 1))  # in its turn, and not before
        else:
            coming.extend([_begun(session, work) for work in islice(waiting, most - len(coming))])
        yield value
        del value  # before there is one more


def _begun(session: Session, work: Callable[[], T]) -> Callable[[], T]:
    """Have something done by a thread; return what waits for it."""
    from concurrent.futures import Future  # few programs need it

    future: Future[T] = Future()
    work = session.for_a_thread(work)
    try:
        threading.Thread(target=_run, args=(work, future), name="connectordb-ahead", daemon=True).start()
    except RuntimeError as error:  # there is no thread left
        log.debug("not read ahead: %s", error)
        _run(work, future)
    return future.result


def _run(work: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
    finally:
        del work, future  # which holds the error, and that this frame
