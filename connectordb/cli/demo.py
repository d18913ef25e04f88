"""``connectordb demo``: shows the whole package at work, with readings of this machine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from ..client import ConnectorDB, Device
from ..server import Server
from ..server import create as create_database
from . import INTERRUPTED
from .database import as_typed
from .machine_log import INTERVAL, STREAMS, Journal
from .screen import Screen

USER, PASSWORD = "demo", "demo"

#: Seconds to wait for what should happen at once, and seconds between two looks whether it has.
_PATIENCE = 30.0
_TICK = 0.02


class DemoFailed(Exception):
    """Something that the demo wants to show did not happen."""


@click.command(short_help="Show the whole package at work, with its own server.")
@click.option(
    "--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep the database in DIR, which must not exist."
)
@click.option(
    "--seconds",
    metavar="SECONDS",
    default=12.0,
    show_default=True,
    type=click.FloatRange(2, 3600),
    help="How long to watch this machine.",
)
@click.option(
    "--port",
    metavar="PORT",
    default=0,
    type=click.IntRange(0, 65535),
    help="The server's port; any free one by default.",
)
def demo(keep: Path | None, seconds: float, port: int) -> None:
    """
    Show the whole package at work, with its own server.

    The demo logs, syncs, watches, switches a lamp and looks at the data.
    """
    screen = Screen()
    if keep is not None and keep.exists():
        raise click.UsageError(f"{keep} exists already; --keep wants a new folder")
    try:
        free = _free_port(port)
        with _folder(keep) as where, contextlib.ExitStack() as ends:
            Demo(screen, where, seconds, free, ends).run()
    except KeyboardInterrupt:
        screen.say(f"\nStopped; {'everything is put away' if keep is None else f'what was made so far is in {keep}'}.")
        sys.exit(INTERRUPTED)
    except DemoFailed as failure:
        screen.result(False, str(failure))
        sys.exit(1)
    if keep is None:
        screen.say("\nEverything held. The server has ended, and nothing is left on this machine.")
    else:
        database = as_typed(keep / "database")
        click.echo(f"The database is in {database}. Start it again: connectordb start {database}")
        click.echo(f"Log in as {USER!r} with the password {PASSWORD!r}.")


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yield the folder for everything; it is removed at the end unless it is to be kept."""
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True)
        yield keep
        return
    where = Path(tempfile.mkdtemp(prefix="connectordb-demo-"))
    try:
        yield where
    finally:
        shutil.rmtree(where)


class Demo:
    """
    The story of the demo, with a method for each part.

    Args:
        screen: Where it is told.
        folder: The folder for the database, the Logger's file and the journals.
        seconds: About how long to watch this machine.
        port: The server's port.
        ends: Closes, at the end, whatever the demo opens.
    """

    def __init__(self, screen: Screen, folder: Path, seconds: float, port: int, ends: contextlib.ExitStack) -> None:
        self.screen = screen
        self.folder = folder
        self.seconds = seconds
        self.ends = ends
        self.port = port
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = folder / "machine.db"
        self.apikey = str(uuid.uuid4())
        self.journals: list[Path] = []
        self.failed = 0

    def run(self) -> None:
        """Tell the story; raise `DemoFailed` at the end if a comparison has failed."""
        self.screen.say("A sensor script, its server, a person who looks on, and a lamp: all on this machine.")
        logging = self.log_without_a_server()
        cdb, machine = self.start_the_server()
        self.watch_the_backlog_arrive(logging, machine)
        self.watch_live(machine)
        self.switch_a_lamp(cdb)
        self.stop(logging)
        self.compare(machine, "everything that was logged", sum(1 for _ in self.journals) - 1)
        self.look(machine)
        if self.failed:
            raise DemoFailed(f"{self.failed} comparison{'s' * (self.failed > 1)} did not hold")

    # --- 1 ------------------------------------------------------------------------------------------------------------

    def log_without_a_server(self) -> subprocess.Popen[bytes]:
        """Log without a server, kill the process that logs, and let another one go on with its file."""
        self.screen.heading("1. Logging while there is no server")
        self.screen.say(
            f"A script logs CPU, memory, disk and network {1 / INTERVAL:g} times a second. Nothing listens at {self.url}."
        )
        first = self.start_logging()
        self.wait(lambda: self.lines("failed"), "the failed sync")
        failure = self.lines("failed")[0]["failed"]
        self.screen.result(True, f"sync failed, and said so: {failure}")
        self.pause(self.seconds / 4)
        first.kill()
        first.wait(_PATIENCE)
        logged = len(self.lines("readings"))
        self.screen.say(
            f"The script is killed in the middle of it (kill -9), after {logged} readings of {len(STREAMS)} sensors."
        )
        second = self.start_logging()
        self.wait(lambda: len(self.lines("readings")) > logged, "the second script")
        self.pause(self.seconds / 4)
        waiting = self.lines("failed")[-1]["waiting"]
        self.screen.result(waiting > 0, f"another script goes on with the same file: {waiting} points wait on disk")
        self.failed += waiting == 0
        return second

    def start_logging(self) -> subprocess.Popen[bytes]:
        """Start the sensor script in a process of its own, which ends when this one does."""
        self.journals.append(self.folder / f"journal-{len(self.journals)}.jsonl")
        arguments = [str(self.log_file), str(self.journals[-1]), self.url, self.apikey]
        said = (self.folder / "script.log").open("ab")
        self.ends.callback(said.close)
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.machine_log", *arguments],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            # so that Ctrl-C reaches only this process; the script ends with its standard input
            start_new_session=True,
        )
        self.ends.callback(_end, process)
        self.process = process
        return process

    # --- 2 ------------------------------------------------------------------------------------------------------------

    def start_the_server(self) -> tuple[ConnectorDB, Device]:
        """Create a database, start its server, and create the device whose key the script has had all along."""
        self.screen.heading("2. The server appears")
        create_database(self.folder / "database", user=USER, password=PASSWORD)
        server = self.ends.enter_context(Server(self.folder / "database", port=self.port))
        cdb = self.ends.enter_context(ConnectorDB(USER, PASSWORD, url=server.url))
        machine = cdb(f"{USER}/machine")
        machine.create(apikey=self.apikey, description="This machine's own readings")
        self.screen.say(f"It listens at {server.url}. The script's key is that of the device {machine.path!r}.")
        return cdb, machine

    def watch_the_backlog_arrive(self, logging: subprocess.Popen[bytes], machine: Device) -> None:
        """Wait until the points that waited were synced, and compare them one by one."""
        until = time.time()
        self.wait(
            lambda: (
                self.lines("synced")
                and machine.exists()
                and all(self.arrived(machine, name, until) for name in STREAMS)
            ),
            "the sync",
        )
        self.compare(machine, "the backlog", len(self.journals) - 1, until)

    def arrived(self, machine: Device, name: str, until: float) -> bool:
        """Tell whether the server has a point of the stream that was logged after *until*."""
        return machine[name].exists() and bool(machine[name](t1=until, limit=1))

    def compare(self, machine: Device, what: str, kills: int, until: float = float("inf")) -> None:
        """Compare the server's points with those that the Logger had accepted: all have to be there, once, in order."""
        compared, surplus, problems = 0, 0, []
        for name in STREAMS:
            logged = [(line["t"], line["readings"][name]) for line in self.lines("readings") if line["t"] <= until]
            there = [(point["t"], point["d"]) for point in machine[name][:] if point["t"] <= until]
            compared += len(logged)
            surplus += len(there) - len(logged)
            lacking = set(logged) - set(there)
            if lacking:
                problems.append(f"{name}: {len(lacking)} points are missing")
            if len(set(there)) != len(there):
                problems.append(f"{name}: {len(there) - len(set(there))} points are there twice")
            if [t for t, _ in there] != sorted(t for t, _ in there):
                problems.append(f"{name}: points are out of order")
            # a kill may come after the Logger has accepted a reading, and before the journal has its line
            if len(there) - len(logged) > kills:
                problems.append(f"{name}: {len(there) - len(logged)} points that nobody logged")
        held = not problems and compared > 0
        told = (
            f"{what}: {compared} points compared, server and log: {'; '.join(problems) or 'each there once, in order'}"
        )
        if surplus and held:
            told += f" (and {surplus} of the moment of the kill)"
        self.screen.result(held, told)
        self.failed += not held

    # --- 3 ------------------------------------------------------------------------------------------------------------

    def watch_live(self, machine: Device) -> None:
        """Subscribe to a stream, and show its points as they come."""
        self.screen.heading("3. Live")
        self.screen.say("A subscription shows the CPU as it is logged (the script syncs twice a second):")
        seen = 0
        enough = threading.Event()
        wanted = max(5, int(self.seconds / 4 / INTERVAL))

        def show(path: str, points: list[dict[str, Any]]) -> None:
            nonlocal seen
            if not enough.is_set():
                self.screen.point("cpu", points[-1]["t"], points[-1]["d"])
            seen += len(points)
            if seen >= wanted:
                enough.set()

        machine["cpu"].subscribe(show)
        if not enough.wait(self.seconds + _PATIENCE):
            raise DemoFailed(f"the subscription brought {seen} points instead of {wanted}")
        machine["cpu"].unsubscribe()
        self.screen.result(True, f"{seen} points came over the websocket")

    def switch_a_lamp(self, cdb: ConnectorDB) -> None:
        """Let one device switch another's lamp, and show that both see it."""
        room = cdb(f"{USER}/room")
        room.create(streams={"lamp": {"schema": {"type": "boolean"}, "downlink": True}})
        switch = cdb(f"{USER}/switch")
        switch.create(role="writer")
        daemon = self.ends.enter_context(ConnectorDB(room.apikey, url=cdb.url))
        hand = self.ends.enter_context(ConnectorDB(switch.apikey, url=cdb.url))
        lamp: list[bool] = []
        acknowledged = threading.Event()

        def obey(path: str, points: list[dict[str, Any]]) -> bool:
            lamp.append(points[-1]["d"])
            return True

        def shown(path: str, points: list[dict[str, Any]]) -> None:
            if points[-1]["d"] is True:
                acknowledged.set()

        daemon["lamp"].subscribe(obey, downlink=True)
        hand(f"{room.path}/lamp").subscribe(shown)
        self.screen.say(
            f"The device {switch.path!r} switches {room.path + '/lamp'!r} on; a daemon there obeys and acknowledges."
        )
        hand(f"{room.path}/lamp").insert(True)
        if not acknowledged.wait(_PATIENCE):
            raise DemoFailed("the lamp was not acknowledged")
        commanded = hand(f"{room.path}/lamp")(i1=-1, downlink=True)[0]
        answered = daemon["lamp"][-1]
        held = lamp == [True] and commanded["d"] is True and answered["d"] is True
        self.screen.result(
            held,
            f"the lamp is on: commanded {commanded['d']} by {commanded.get('o')}, acknowledged {answered['d']}, seen by both sides",
        )
        self.failed += not held

    # --- 4 ------------------------------------------------------------------------------------------------------------

    def stop(self, logging: subprocess.Popen[bytes]) -> None:
        """End the script properly, so that it syncs what is left."""
        assert logging.stdin is not None
        logging.stdin.close()
        if logging.wait(_PATIENCE) != 0:
            raise DemoFailed(f"the script ended with status {logging.returncode}: {self.script_said()}")
        waiting = self.lines("ended")[-1]["waiting"]
        self.screen.result(waiting == 0, f"the script ended; {waiting} points wait")
        self.failed += waiting != 0

    def look(self, machine: Device) -> None:
        """Read by time, by index, and the newest point; show a table and a chart."""
        self.screen.heading("4. Looking at it")
        cpu = machine["cpu"]
        whole = cpu[:]
        newest = cpu[-1]
        by_index = cpu[2:5]
        by_time = cpu(t1=whole[1]["t"], t2=whole[4]["t"])
        held = newest == whole[-1] and list(by_index) == list(whole[2:5]) and list(by_time) == list(whole[2:5])
        self.screen.result(
            held, f"cpu[-1] is {newest['d']} %; cpu[2:5] by index and by time are the same three points of {len(cpu)}"
        )
        self.failed += not held
        rows = []
        for name, description in STREAMS.items():
            values = machine[name][:].d()
            figures = (min(values), statistics.fmean(values), max(values), values[-1])
            rows.append((name, description, str(len(values)), *(f"{figure:,.1f}" for figure in figures)))
        self.screen.table(("stream", "what", "points", "least", "mean", "most", "now"), rows)
        self.screen.chart("CPU in use, %", whole)

    # --- the journals -------------------------------------------------------------------------------------------------

    def lines(self, key: str) -> list[dict[str, Any]]:
        """Return the lines of all journals that have *key*."""
        return [line for journal in self.journals for line in Journal.read(journal) if key in line]

    def script_said(self) -> str:
        """Return the end of what the script printed."""
        return (self.folder / "script.log").read_text(encoding="utf-8", errors="replace")[-2000:].strip()

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until *condition* holds."""
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if self.process.poll() is not None:
                raise DemoFailed(f"the script ended by itself: {self.script_said()}")
            if time.monotonic() > deadline:
                raise DemoFailed(f"{what} did not come within {_PATIENCE:g} s: {self.script_said()}")
            self.pause(_TICK)

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds."""
        threading.Event().wait(seconds)


def _free_port(wanted: int) -> int:
    """Return *wanted*, or a free port for 0; raise if it is in use. If another program takes it afterwards, the server will say so."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise DemoFailed(f"port {wanted} is in use ({error.strerror}); give another --port, or none") from error
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a script, whatever state it is in."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_PATIENCE)
