"""Reading one answer ahead: while one is looked at, the next comes in."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
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
    waiting = iter(requests)
    #: What returns the next value; no name of this frame, as it may hold an error that holds this frame.
    coming: deque[Callable[[], T]] = deque(partial(session.call, request) for request in _one_of(waiting))
    while coming:
        value = coming.popleft()()
        coming.extend(_begun(session, request) for request in _one_of(waiting))
        yield value
        del value  # before there are three


def _one_of(waiting: Iterator[T]) -> Iterator[T]:
    """Yield the next, if there is one."""
    for one in waiting:
        yield one
        return


def _begun(session: Session, request: rest.Request[T]) -> Callable[[], T]:
    """Have a request sent; return what waits for its answer."""
    future: Future[T] = Future()
    work = session.for_a_thread(partial(session.call, request))
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
