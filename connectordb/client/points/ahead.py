"""Working ahead on threads: the next answers come in while one is used; the next insert is made while one is sent."""

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

#: How many answers are read in advance: one is on its way while the server makes the other.
READ_AHEAD = 2

#: After an answer of more bytes than this, none is read ahead, to keep memory small.
LARGE = 16 * 1024 * 1024


def read_ahead(session: Session, requests: Iterable[rest.Request[T]]) -> Iterator[T]:
    """
    Yield what `Session.call` returns for each of *requests*, in order; threads read the next answers while the caller uses one.

    No more than `READ_AHEAD` answers are read in advance, and none after one of more than `LARGE` bytes; a single request needs no
    thread. A caller that stops early does not wait: the threads end with their answers.

    Raises:
        ConnectorDBError: As `Session.call`, when it is the turn of the request that failed.
    """
    return _ahead(session, (partial(session.call, request) for request in requests), READ_AHEAD)


def make_ahead(session: Session, items: Iterator[T]) -> Iterator[T]:
    """
    Yield *items*, of which none may be ``None``; a thread makes the next item while the caller uses one.

    Raises:
        Exception: What making an item raised, when it is its turn.
    """
    for item in _ahead(session, repeat(partial(next, items, None)), 1):
        if item is None:
            return
        yield item


def _ahead(session: Session, works: Iterable[Callable[[], T]], most: int) -> Iterator[T]:
    """Yield what *works* return, in order; at most *most* of them are begun before their turn."""
    waiting = iter(works)
    #: Each returns, or raises, one of the next results. They are only in this queue and never in a variable: the error that one of
    #: them may hold refers to this frame, and a variable would refer back to it.
    coming: deque[Callable[[], T]] = deque(islice(waiting, 1))
    while coming:
        value = coming.popleft()()
        if isinstance(value, bytes) and len(value) > LARGE:
            coming.extend(islice(waiting, 0 if coming else 1))  # without a thread: it is done when it is its turn
        else:
            coming.extend([_begun(session, work) for work in islice(waiting, most - len(coming))])
        yield value
        del value  # free the memory before there is another one


def _begun(session: Session, work: Callable[[], T]) -> Callable[[], T]:
    """Begin *work* on a thread; return a function that waits for its result."""
    from concurrent.futures import Future  # few programs need it

    future: Future[T] = Future()
    work = session.for_a_thread(work)
    try:
        threading.Thread(target=_run, args=(work, future), name="connectordb-ahead", daemon=True).start()
    except RuntimeError as error:  # the system gives us no thread
        log.debug("not read ahead: %s", error)
        _run(work, future)
    return future.result


def _run(work: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
    finally:
        del work, future  # the future refers to the error, and the error to this frame
