"""Runs the script of the old client against a server, through the recorder; what came of each step, and what was sent."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import environment
from .recorder import Recorder, Sent

#: Seconds that the whole script may take.
PATIENCE = 180.0


@dataclass(frozen=True)
class Played:
    """
    What a run showed.

    Attributes:
        user: The user that the run made.
        came: Step → what it returned or raised, as JSON text without what differs from run to run.
        sent: What the client sent, in order.
        noise: What the client printed.
        seconds: How long each step took.
    """

    user: str
    came: dict[str, str]
    sent: list[Sent]
    noise: str
    seconds: dict[str, float]


def play(url: str, away: Callable[[], object], back: Callable[[], object], short: bool = False) -> Played:
    """
    Run the script.

    Args:
        url: The server, whose administrator is test/test.
        away: Called when the server is to be away; the recorder refuses connections besides.
        back: Called when it is to be there again.
        short: Do what takes long with less.
    """
    address = urlsplit(url)
    assert address.hostname is not None and address.port is not None
    recorder = Recorder((address.hostname, address.port))
    user = f"old{time.time_ns() // 1_000_000_000}"
    program = Path(__file__).with_name("program")
    process = subprocess.Popen(
        [environment.python(), "-IB", program, recorder.url, user, *(["short"] if short else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    noise: list[str] = []
    reader = threading.Thread(target=lambda: noise.extend(process.stderr or ()), daemon=True)
    reader.start()
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    came: dict[str, str] = {}
    seconds: dict[str, float] = {}
    step, began = "", time.monotonic()
    try:
        for line in process.stdout:
            message = json.loads(line)
            if "step" in message:
                step = recorder.step = message["step"]
                began = time.monotonic()
            elif "ask" in message:
                if message["ask"] == "away":
                    recorder.away()
                    away()
                elif message["ask"] == "back":
                    back()
                    recorder.back()
            else:
                came[step] = alike(json.dumps(message, sort_keys=True, ensure_ascii=False), user)
                seconds[step] = time.monotonic() - began
            process.stdin.write(f"{subscribed(recorder.sent)}\n")
            process.stdin.flush()
        process.wait(10)
        reader.join(10)
    except BrokenPipeError:
        pass  # it has ended; what came of it says how far it got
    finally:
        watchdog.cancel()
        process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        recorder.away()
    return Played(user, came, recorder.sent, "".join(noise), seconds)


def subscribed(sent: list[Sent]) -> int:
    """Return how often the client has subscribed to something."""
    return sum(message.line == "TEXT" and b'"cmd": "subscribe"' in message.body for message in sent)


_DIFFERS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b1[5-9]\d{8}(\.\d+)?\b"), "<clock>"),
)


def alike(text: str, user: str) -> str:
    """Return a text without what differs from run to run: the user's name, UUIDs, times of the clock."""
    text = re.sub(rf"{user}(?!\d)", "<user>", text)
    for pattern, name in _DIFFERS:
        text = pattern.sub(name, text)
    return text


def parsed(came: str) -> Any:
    """Return what came of a step as JSON."""
    return json.loads(came)
