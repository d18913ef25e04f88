"""The whole table, had by threads: each with a stage of its own before one server."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from connectordb import ConnectorDB

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
        there = f"http://{ELSEWHERE}:{elsewhere.port}"
        ending.enter_context(_heard(overhearing))
        for slow, threads in ((True, _WAITING), (False, _BUSY)):
            waiting: queue.SimpleQueue[Meeting] = queue.SimpleQueue()
            for meeting in planned:
                if meeting.fault.is_slow is slow:
                    waiting.put(meeting)
            makers = [
                threading.Thread(
                    target=_work,
                    args=(
                        partial(Stage, url, key, there, n, work / str(n), options),
                        waiting,
                        deadline,
                        tell,
                        wrong,
                        overhearing,
                    ),
                    name=f"trial-{n}",
                )
                for n in range(min(threads, waiting.qsize()))
            ]
            for maker in makers:
                maker.start()
            for maker in makers:
                maker.join()
        if elsewhere.requests:
            wrong.append(
                f"{len(elsewhere.requests)} requests followed a redirect to another host: {elsewhere.requests[0]}"
            )
    wrong += sorted({f"a secret was logged: {where}" for where in overhearing.found})
    wrong += left()
    return wrong


def _work(
    make: Callable[[], Stage],
    waiting: queue.SimpleQueue[Meeting],
    deadline: float,
    tell: Callable[[Result], None],
    wrong: list[str],
    overhearing: Overhearing,
) -> None:
    with closing(make()) as stage:
        overhearing.secrets += stage.secrets
        while True:
            try:
                meeting = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                tell(hold(stage, meeting, deadline))
                if _has_last(stage, meeting):
                    tell(hold(stage, replace(meeting, at_last=True), deadline))
            except Exception as error:
                wrong.append(f"{meeting}: the harness failed: {type(error).__name__}: {error}")


def _has_last(stage: Stage, meeting: Meeting) -> bool:
    """Tell whether the call makes several requests, of which the last can meet the fault."""
    return (
        meeting.is_once
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
