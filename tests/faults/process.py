"""The stage's side of a Logger's process: what it is told, what it says, and its end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from ..support.nursery import Nursery
from .channel import PATIENCE, Channel, Hung

#: Seconds after which a command that has not ended has no end, though it still speaks: what it waits for is not waited for here.
ENDLESS = 2 * PATIENCE


class Killed(Exception):
    """The process was killed before it had answered."""


class Ended(Exception):
    """The process ended, and nobody had killed it."""


class Process:
    """
    One life.

    Args:
        nursery: Where it was forked off.
        pid: Its number.
        channel: The line to it.
        on_points: Told of points that were ``accepted``, ``refused`` or are ``doubtful``: which of these, the tag of the command that gave
            them, the first of them, and how many.
        on_wait: Called when its Logger waits: lets so many seconds pass in the world.
    """

    def __init__(
        self,
        nursery: Nursery,
        pid: int,
        channel: Channel,
        on_points: Callable[[str, int, int, int], None],
        on_wait: Callable[[float], None],
    ) -> None:
        self._nursery = nursery
        self._pid = pid
        self._channel = channel
        self._on_points = on_points
        self._on_wait = on_wait
        self.alive = True
        #: How many steps the last command took that was counted.
        self.steps = 0

    def ask(self, do: str, **arguments: Any) -> Any:
        """
        Have something done, and return what came of it.

        Raises:
            Killed: The process is no more.
        """
        self.tell(do, **arguments)
        return self.answer()

    def tell(self, do: str, **arguments: Any) -> None:
        """Have something done; `answer` says what came of it."""
        try:
            self._channel.say(do=do, **arguments)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Killed(do) from error

    def answer(self) -> Any:
        """Return what came of the command that was told; it is hung if it speaks on and on, and does not end."""
        deadline = time.monotonic() + ENDLESS
        while (message := self._channel.hear()) is not None:
            if "done" in message:
                self.steps = message.get("steps", 0)
                return message["done"]
            if time.monotonic() > deadline:
                raise Hung(f"a command speaks on and on, and does not end within {ENDLESS:g} s")
            if "wait" in message:
                self._on_wait(message["wait"])
                self._channel.say(waited=True)
            else:
                self._take_in(message)
        self._end()
        raise Killed(f"process {self._pid}")

    def kill(self) -> None:
        """End it by ``kill -9``, unless it has ended, and take in what it had said."""
        if not self.alive:
            return
        os.kill(self._pid, signal.SIGKILL)
        while (message := self._channel.hear()) is not None:
            if "wait" not in message and "done" not in message:
                self._take_in(message)
        self._end()

    def _take_in(self, message: dict[str, Any]) -> None:
        ((what, (tag, first, number)),) = message.items()
        self._on_points(what, tag, first, number)

    def _end(self) -> None:
        self.alive = False
        self._channel.close()
        status = self._nursery.wait(self._pid)
        if status != -signal.SIGKILL:
            raise Ended(f"a Logger's process ended by itself, with the status {status}; lives.log says why")
