"""
`Backlog`: takes from the network what comes, and keeps it until the program wants it.

A server gives up on clients that read nothing for a while, as with a pager on the screen, or a program that works on each point. So
a thread takes what comes, until the backlog is full.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from queue import Empty, SimpleQueue

from ...exceptions import ConnectionFailed
from ...runtime.clock import AT_A_TIME
from ..session import Session

log = logging.getLogger(__name__)

#: How many bytes may wait, apart from the last piece. They are compressed, which makes it millions of points.
MOST = 16 * 1024 * 1024


class Backlog:
    """
    Takes pieces on a thread, which ends with the last piece, or with the first one after `close`.

    Args:
        session: The session whose calls bring the pieces.
        pieces: The pieces.
        most: How many bytes may wait.
    """

    def __init__(self, session: Session, pieces: Generator[bytes, None, None], most: int = MOST) -> None:
        self._pieces = pieces
        self._most = most
        #: The pieces; after the last one ``None``, or the exception that ended them.
        self._coming: SimpleQueue[bytes | BaseException | None] = SimpleQueue()
        #: Wakes the thread when a piece was used, or this was closed.
        self._room = threading.Event()
        self._is_closed = False
        # bytes that came, counted by the thread; bytes that were used, counted by the program's thread
        self._came = self._taken = 0
        self._thread = threading.Thread(target=session.for_a_thread(self._run), name="connectordb-ahead", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the system gives us no thread; `__iter__` does without
            log.debug("not taken ahead: %s", error)
        except BaseException:  # Ctrl-C: the thread may have been started all the same
            self.close()
            raise

    def close(self) -> None:
        """Tell the thread to end."""
        self._is_closed = True
        self._room.set()

    def __iter__(self) -> Iterator[bytes]:
        """
        Yield the pieces.

        Raises:
            Exception: What taking them raised.
        """
        if not self._thread.ident:
            yield from self._pieces
            return
        while (piece := self._next()) is not None:
            self._taken += len(piece)
            self._room.set()
            yield piece

    def _next(self) -> bytes | None:
        while True:
            try:
                piece = self._coming.get(timeout=AT_A_TIME)
            except Empty:
                if self._thread.is_alive() or not self._coming.empty():
                    continue
                raise ConnectionFailed(
                    "what is coming comes to another process, from which this one was forked off"
                ) from None
            if not isinstance(piece, BaseException):
                return piece
            try:
                raise piece
            finally:
                del piece  # the exception refers to this frame: without this, they would keep each other alive

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            with closing(self._pieces) as pieces:
                for piece in pieces:
                    self._came += len(piece)
                    self._coming.put(piece)
                    self._wait_for_room()
                    if self._is_closed:
                        return
        except BaseException as error:
            end = error
        finally:
            self._coming.put(end)
            del end

    def _wait_for_room(self) -> None:
        while not self._is_closed:
            self._room.clear()
            if self._came - self._taken <= self._most:
                return
            self._room.wait(AT_A_TIME)
