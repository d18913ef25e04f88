"""
A Logger's process: forked off, told what to do by the stage, and killed at any moment.

It says of every point that it was accepted as soon as ``insert`` has returned, and not before.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectordb.client.terms import timeouts
from connectordb.exceptions import LoggerFull, StorageError
from connectordb.logger import Logger
from connectordb.logger import logger as logger_module
from connectordb.logger.receipt import Receipt
from connectordb.logger.sync import plan

from ..support.disks import FullDisk, LossyDisk
from ..support.nursery import serve
from . import broken, ledger
from .channel import Channel
from .clock import StageClock
from .interrupter import Interrupter
from .nth_write import NthWrite
from .stepper import Stepper

#: What is watched for steps: the Logger's files, or the disk below SQLite.
STEPS_OF = {
    "logger": (f"connectordb{os.sep}logger{os.sep}",),
    "disk": (f"tests{os.sep}support{os.sep}disks.py",),
}


class Life:
    """What one process does; each public method is a command."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._clock = StageClock(self._pass_time)
        self._logger: Logger | None = None
        self._space = NthWrite()
        self._receipts: dict[tuple[int, int], Receipt] = {}
        self._layer: FullDisk | LossyDisk | None = None
        self._commands: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        # one thread waits at a time
        self._waiting = threading.Lock()
        self._passed: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def run(self) -> None:
        """Do what is said until nobody says anything."""
        threading.Thread(target=self._hear, name="life", daemon=True).start()
        while (message := self._commands.get()) is not None:
            do: Callable[..., Any] = getattr(self, message.pop("do"))
            at, how, steps_of = message.pop("at", -1), message.pop("how", "kill"), message.pop("steps_of", "logger")
            if at < 0:
                self._channel.say(done=do(**message))
                continue
            steps = (Interrupter if how == "interrupt" else Stepper)(STEPS_OF[steps_of], at)
            with steps:
                try:
                    done = do(**message)
                except KeyboardInterrupt:
                    done = "interrupted"
            self._channel.say(done=done, steps=steps.steps)

    def _hear(self) -> None:
        while (message := self._channel.hear()) is not None:
            if "do" not in message:  # time has passed
                self._passed.put(True)
            else:
                self._commands.put(message)
        self._commands.put(None)

    def _pass_time(self, seconds: float) -> None:
        with self._waiting:
            self._channel.say(wait=seconds)
            self._passed.get()

    @property
    def _log(self) -> Logger:
        assert self._logger is not None
        return self._logger

    # --- commands -------------------------------------------------------------------------------------------------------

    def layer(self, kind: str, folder: str) -> None:
        """Put a disk that misbehaves under SQLite: ``full`` or ``lossy``."""
        self._layer = FullDisk(self._space) if kind == "full" else LossyDisk(Path(folder))

    def open(
        self,
        file: str,
        url: str,
        apikey: str,
        streams: list[str],
        timeout: float,
        without: str,
        stepped: float,
        waited: float,
        batch: int,
        options: dict[str, Any],
    ) -> str | None:
        """Open the Logger; return what kept it from that."""
        if without:
            broken.VARIANTS[without].apply()
        # the Logger has no option for it
        timeouts.DEFAULT = timeouts.Timeout(read=timeout)
        self._clock.step(stepped)
        self._clock.let_pass(waited)
        logger_module.SYSTEM = self._clock
        try:
            self._logger = logger = Logger(file, **options)
            if (logger.serverurl, logger.apikey) != (url, apikey):
                logger.apikey, logger.serverurl = apikey, url
            for stream in streams:
                if stream not in logger:
                    logger.addStream_force(stream)
        except StorageError as error:
            if self._logger is not None:
                self._logger.close()
                self._logger = None
            return str(error)
        logger.syncraise = True
        logger._syncing._memory.size = batch
        plan._GROWTH = 1.0  # it stays so
        return None

    def insert(self, stream: str, values: list[Any], tag: int) -> None:
        """Log values one after the other, telling of each."""
        for number, value in enumerate(values):
            try:
                self._receipts[tag, number] = self._log.insert(stream, value)
            except (StorageError, LoggerFull):
                self._channel.say(refused=[tag, number, 1])
            except KeyboardInterrupt:
                self._channel.say(doubtful=[tag, number, 1])
            else:
                self._channel.say(accepted=[tag, number, 1])

    def insert_many(self, stream: str, points: list[list[float]], tag: int) -> None:
        """Log points all at once."""
        try:
            self._log.insert_many({stream: [{"t": t, "d": d} for t, d in points]})
        except (StorageError, LoggerFull):
            self._channel.say(refused=[tag, 0, len(points)])
        except KeyboardInterrupt:
            self._channel.say(doubtful=[tag, 0, len(points)])
        else:
            self._channel.say(accepted=[tag, 0, len(points)])

    def crowd(self, commands: list[dict[str, Any]]) -> None:
        """Do each in a thread of its own, the first in this one, all at once."""
        threads = [threading.Thread(target=self.several, args=([command],)) for command in commands[1:]]
        for thread in threads:
            thread.start()
        self.several(commands[:1])
        for thread in threads:
            thread.join()

    def receipts(self) -> list[list[Any]]:
        """Return what the receipts say that were given since this was asked last."""
        receipts, self._receipts = self._receipts, {}
        return [[tag, number, receipt.state] for (tag, number), receipt in receipts.items()]

    def sync(self) -> str | None:
        """Sync; return what it says if that fails."""
        try:
            self._log.sync()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None

    def sync_beside(self, period: float = 600.0) -> None:
        """Sync in the background from now on."""
        self._log.syncperiod = period
        self._log.start()

    def sync_no_more(self) -> None:
        """Sync in the background no more."""
        self._log.stop()

    def ledger(self) -> dict[str, Any]:
        """Return what the Logger counts."""
        return ledger.read(self._log)

    def several(self, commands: list[dict[str, Any]]) -> list[Any]:
        """Do one after the other."""
        return [getattr(self, command.pop("do"))(**command) for command in commands]

    def step(self, seconds: float) -> None:
        """Set the wall clock."""
        self._clock.step(seconds)

    def let_pass(self, seconds: float) -> None:
        """Have time gone by."""
        self._clock.let_pass(seconds)

    def step_often(self, steps: list[float], every: float) -> None:
        """Set the wall clock from another thread, over and over, whatever happens meanwhile."""

        def go() -> None:
            pause = threading.Event()
            for seconds in steps:
                pause.wait(every)
                self._clock.step(seconds)

        threading.Thread(target=go, daemon=True).start()

    def fill(self, after: int, partly: bool) -> None:
        """Have the disk full after so many writes more."""
        self._space.fill(after, partly)

    def free(self) -> int:
        """Have space again; return how many writes there were, those that were refused too."""
        self._space.empty()
        return self._space.writes

    def close(self) -> None:
        """Close the Logger."""
        if self._logger is not None:
            self._logger.close()
            self._logger = None


def _live(words: list[str]) -> int:
    """Be a Logger's process until nobody says anything any more."""
    log, address = words
    logging.basicConfig(filename=log, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"\0{address}")
    try:
        Life(Channel(connection, patience=None)).run()
        return 0
    except BrokenPipeError:
        return 0  # the stage has ended
    except BaseException:
        logging.exception("a life ended by an error")
        return 1
    finally:
        logging.shutdown()


if __name__ == "__main__":
    serve(lambda _: _live(sys.argv[1:]))
