"""Doing one thing ahead: while one answer is looked at, the next comes in; while one insert is sent, the next is made."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, TypeVar

from ..protocol import rest

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")


def read_ahead(session: Session, requests: Iterable[rest.Request[T]]) -> Iterator[T]:
    """
    Yield what the answers to *requests* say, in their order; while whoever takes one works on it, the next is read by a thread.

    No more than that one is read in advance, and a single request by no thread. Who lets go before the end does not wait for what is
    under way: the thread ends with its answer.

    Raises:
        ConnectorDBError: As `Session.call`, in the turn of the request that failed.
    """
    return _ahead(session, (partial(session.call, request) for request in requests))


def make_ahead(session: Session, items: Iterator[T]) -> Iterator[T]:
    """
    Yield *items*; while whoever takes one works on it, the next is made by a thread.

    Raises:
        Exception: What making one raised, in its turn.
    """
    for item in _ahead(session, repeat(partial(next, items, None))):
        if item is None:
            return
        yield item


def _ahead(session: Session, works: Iterable[Callable[[], T]]) -> Iterator[T]:
    waiting = iter(works)
    #: What returns the next value; no name of this frame, as it may hold an error that holds this frame.
    coming: deque[Callable[[], T]] = deque(_one_of(waiting))
    while coming:
        value = coming.popleft()()
        coming.extend(_begun(session, work) for work in _one_of(waiting))
        yield value
        del value  # before there are three


def _one_of(waiting: Iterator[T]) -> Iterator[T]:
    """Yield the next, if there is one."""
    for one in waiting:
        yield one
        return


def _begun(session: Session, work: Callable[[], T]) -> Callable[[], T]:
    """Have something done by a thread; return what waits for it."""
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
