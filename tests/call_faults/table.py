"""The whole table, had by threads: each with a stage of its own before one server."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectordb import ConnectorDB, DownlinkTimeout, TimedOut

from ..support.wire import Peer, answer
from . import names
from .stage import Stage
from .trial import Meeting, Overhearing, Result, hold

#: A host that is none of the server's: nothing may ever come there.
ELSEWHERE = f"elsewhere{names.DOMAIN}"

#: Threads for calls that wait most of the time, and for others.
_WAITING, _BUSY = 80, 4


def have(
    url: str,
    work: Path,
    planned: Sequence[Meeting],
    options: dict[str, Any],
    deadline: float,
    tell: Callable[[Result], None],
) -> list[str]:
    """
    Have every meeting; return what is wrong with all of it together.

    Args:
        url: The server.
        work: A folder.
        planned: What to have.
        options: What connections are made with.
        deadline: Seconds that a call may take.
        tell: Called with each result, by any thread.
    """
    wrong: list[str] = []
    overhearing = Overhearing()
    with ExitStack() as ending:
        ending.enter_context(names.ours())
        elsewhere = Peer(otherwise=answer("ok"))
        ending.callback(elsewhere.close)
        names.register(ELSEWHERE)
        with ConnectorDB("test", "test", url=url) as test:
            key = test.apikey or ""
        ending.enter_context(_heard(overhearing))

        def make(number: int) -> Stage:
            there = f"http://{ELSEWHERE}:{elsewhere.port}"
            stage = Stage(url, key, there, number, work / str(number), options)
            overhearing.secrets += stage.secrets
            return stage

        Table(make, deadline, tell, wrong).have(planned)
        if elsewhere.requests:
            number = len(elsewhere.requests)
            wrong.append(f"{number} requests followed a redirect to another host: {elsewhere.requests[0]}")
    wrong += sorted({f"a secret was logged: {where}" for where in overhearing.found})
    wrong += left()
    return wrong


class Table:
    """
    The meetings, among threads. What is amiss in a way that a busy machine has, too, is had again, alone.

    Args:
        make: Makes a stage.
        deadline: Seconds that a call may take.
        tell: Called with each result, by any thread.
        wrong: Is told what the harness itself does not get done.
    """

    def __init__(
        self, make: Callable[[int], Stage], deadline: float, tell: Callable[[Result], None], wrong: list[str]
    ) -> None:
        self._make = make
        self._deadline = deadline
        self._tell = tell
        self._wrong = wrong
        self._late: list[Meeting] = []
        self._is_alone = False

    def have(self, planned: Sequence[Meeting]) -> None:
        """Have them: those that wait most of the time first."""
        self._share([meeting for meeting in planned if meeting.fault.is_slow], _WAITING)
        self._share([meeting for meeting in planned if not meeting.fault.is_slow], _BUSY)
        self._is_alone = True
        self._share(self._late, 1)

    def _share(self, planned: Sequence[Meeting], number: int) -> None:
        waiting: queue.SimpleQueue[Meeting] = queue.SimpleQueue()
        for meeting in planned:
            waiting.put(meeting)
        threads = [
            threading.Thread(target=self._work, args=(n, waiting), name=f"trial-{n}")
            for n in range(min(number, len(planned)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, number: int, waiting: queue.SimpleQueue[Meeting]) -> None:
        with closing(self._make(number)) as stage:
            while True:
                try:
                    meeting = waiting.get_nowait()
                except queue.Empty:
                    return
                self._hold(stage, meeting)
                if _has_last(stage, meeting):
                    self._hold(stage, replace(meeting, at_last=True))

    def _hold(self, stage: Stage, meeting: Meeting) -> None:
        try:
            result = hold(stage, meeting, self._deadline)
        except Exception as error:
            is_late, result = isinstance(error, (TimedOut, DownlinkTimeout)), None
            failure = f"{meeting}: the harness failed: {type(error).__name__}: {error}"
        else:
            is_late = result.is_late
        if is_late and not self._is_alone:
            self._late.append(meeting)
        elif result is None:
            self._wrong.append(failure)
        else:
            self._tell(result)


def _has_last(stage: Stage, meeting: Meeting) -> bool:
    """Tell whether the call makes several requests, of which the last can meet the fault."""
    return (
        meeting.is_once
        and not meeting.at_last
        and meeting.call.label in stage.requests
        and meeting.fault.play is not None
        and not meeting.call.is_live
        and stage.requests[meeting.call.label] > 1
    )


def _heard(overhearing: Overhearing) -> ExitStack:
    """Have all that is logged looked at, for the length of a block."""
    ending = ExitStack()
    for name in ("connectordb", "urllib3", "requests", "websocket"):
        logger = logging.getLogger(name)
        ending.callback(logger.setLevel, logger.level)
        ending.callback(logger.removeHandler, overhearing)
        logger.addHandler(overhearing)
        logger.setLevel(logging.DEBUG)
    return ending


def left() -> list[str]:
    """Wait for the threads of connections that were closed; say which do not end."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        threads = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("connectordb-"))
        if not threads:
            return []
        time.sleep(0.05)
    return [f"threads are left: {', '.join(threads)}"]
