"""What a real 0.3 server answered, played against the embedded one: ``tests/conformance`` (its README says how)."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import websocket

from ..support.case import SOON, Case
from ..support.server import run_server

PACK = Path(__file__).parent.parent / "conformance"

#: These count everything that there is, so nothing else may go on.
ALONE = {("lists and counts", "counts")}

#: Scenarios at a time: most of one is waiting.
AT_ONCE = 16


def load_runner() -> ModuleType:
    """Return the pack's runner, which is a program."""
    spec = importlib.util.spec_from_file_location("conformance_run", PACK / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module


#: What is pinged behind a command.
MARK = "obeyed?"


class Events(queue.Queue[dict[str, Any]]):
    """What comes by a websocket, without the answers to our own pings."""

    def __init__(self) -> None:
        super().__init__()
        self.obeyed = threading.Event()
        self.over = False

    def put(self, event: dict[str, Any], block: bool = True, timeout: float | None = None) -> None:
        """File an event."""
        if event.get("pong") != MARK:
            super().put(event, block, timeout)
        if event.get("pong") == MARK or "close" in event:
            self.over = "close" in event
            self.obeyed.set()


def prompt(socket: type[Any]) -> type[Any]:
    """
    Return the runner's websocket, but for what it does after a command.

    It waits until the command was obeyed rather than for a while: a ping behind it is answered then.
    """

    class Prompt(socket):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            self._filing = threading.Event()
            super().__init__(*arguments)
            self._filing.wait(SOON)
            self.send = self._send

        def _read(self) -> None:
            self._events = Events()
            self._filing.set()
            super()._read()

        def _send(self, payload: Any, opcode: int) -> None:
            self._events.obeyed.clear()
            self._ws.send(payload, opcode)
            if opcode < websocket.ABNF.OPCODE_CLOSE and not self._events.over:
                with contextlib.suppress(OSError, websocket.WebSocketException):  # it was closed for what was said
                    self._ws.ping(MARK)
                self._events.obeyed.wait(SOON)

    return Prompt


class Tally:
    """Collects what failed of one scenario, at every level."""

    def __init__(self) -> None:
        self.checks = 0
        self.failures: list[str] = []

    def record(self, area: str, where: str, level: str, problem: str | None) -> None:
        """Note one check."""
        self.checks += 1
        if problem:
            self.failures.append(f"{level}: {where}: {problem}")


class Conformance(Case):
    """The embedded server answers as the recorded one did, or better where that was at fault."""

    def setUp(self) -> None:
        super().setUp()
        self.runner = load_runner()
        self.runner.Socket = prompt(self.runner.Socket)  # type: ignore[attr-defined]
        self.here = threading.local()
        self.servers: list[Any] = []

    def play(self, url: str, area: str, scenario: dict[str, Any]) -> Tally:
        """Play one scenario."""
        if not hasattr(self.here, "server"):  # a session belongs to one thread
            self.here.server = self.runner.Server(url, "test", "test")
            self.servers.append(self.here.server)
        tally = Tally()
        options = argparse.Namespace(recorded=False, settle=0.0)
        self.runner.Player(self.here.server, area, scenario, options).play(tally)
        return tally

    def test_scenarios(self) -> None:
        """All checks of all levels pass."""
        files = sorted((PACK / "scenarios").glob("*.json"))
        documents = [json.loads(path.read_text(encoding="utf-8")) for path in files]
        wanted = {(document["area"], each["name"]): each for document in documents for each in document["scenarios"]}
        self.assertLessEqual(ALONE, set(wanted), "named, but not there")
        together = {key: each for key, each in wanted.items() if key not in ALONE}
        with run_server() as server:
            # the longest first
            order = sorted(together, key=lambda key: -len(json.dumps(together[key])))
            with ThreadPoolExecutor(AT_ONCE) as threads:
                played = threads.map(lambda key: self.play(server.url, key[0], wanted[key]), order)
                tallies = dict(zip(order, played, strict=True))
            for key in ALONE:
                tallies[key] = self.play(server.url, key[0], wanted[key])
            for each in self.servers:
                each._session.close()
        for (area, name), tally in sorted(tallies.items()):
            with self.subTest(f"{area}: {name}"):
                self.assertEqual(tally.failures, [])
                self.assertGreater(tally.checks, 0)
