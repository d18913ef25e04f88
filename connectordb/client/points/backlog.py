"""
What comes over the network, taken at once and kept until somebody wants it.

A server does not wait long for whoever reads nothing for a while: a pager on the screen, a program that works on each point. So a
thread takes what comes, until so much waits here that it has to stop.
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

#: Bytes that wait at most, but for one piece. Points are packed, and there are millions in that.
MOST = 16 * 1024 * 1024


class Backlog:
    """
    Pieces that a thread takes, which ends with them, or with the piece after `close`.

    Args:
        session: Whose thread it is, and by whose options.
        pieces: What it takes.
        most: How many bytes wait.
    """

    def __init__(self, session: Session, pieces: Generator[bytes, None, None], most: int = MOST) -> None:
        self._pieces = pieces
        self._most = most
        #: Pieces; behind them ``None``, or what they ended with.
        self._coming: SimpleQueue[bytes | BaseException | None] = SimpleQueue()
        #: Set when something was taken, or nothing is wanted any more.
        self._room = threading.Event()
        self._is_closed = False
        # each written by one of the two
        self._came = self._taken = 0
        self._thread = threading.Thread(target=session.for_a_thread(self._run), name="connectordb-ahead", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # there is no thread left
            log.debug("not taken ahead: %s", error)
        except BaseException:  # Ctrl-C: the thread may have come
            self.close()
            raise

    def close(self) -> None:
        """Have the thread end."""
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
                del piece  # it holds this frame

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
