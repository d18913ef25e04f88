"""What the tests of commands share: a commanded stream on a real server, a line to it that fails by a script, and kills."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path as FilePath
from typing import Any

from connectordb import ConnectorDB, Stream
from connectordb.exceptions import ConnectionFailed, OutcomeUnknown, ServerError
from connectordb.live.downlinks import Commands, Policy, Server, Step, steps
from connectordb.live.remembering.remember import Remembered
from connectordb.protocol import rest
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path
from connectordb.protocol.points import Datapoint
from connectordb.runtime.backoff import Backoff

from .case import MS
from .target import TargetCase, new_name

#: Seconds that a late copy is waited for here.
LATE = 5 * MS


class Killed(BaseException):
    """The end of a process, at that very place."""


class Line:
    """
    A device's way to the server.

    Attributes:
        troubles: What befalls the next inserts, one after the other, by name: ``"ok"``; ``"lost"`` before it arrived;
            ``"unanswered"``; ``"late"``, after the wait for a late copy; ``"away"``, nothing was sent; ``"failing"``, the server
            says 503; ``"killed"`` before it is sent, ``"killed after"`` it was answered.
        reading: What befalls the next requests that insert nothing: ``"ok"`` or ``"away"``.
        asked: The requests that were made, as verb and path.
        keyed: Whether the server is believed to know inserts by name.
    """

    def __init__(self, cdb: ConnectorDB, keyed: bool = True) -> None:
        self._session = cdb._session
        self.troubles: list[str] = []
        self.reading: list[str] = []
        self.asked: list[str] = []
        self.keyed = keyed
        self._late: list[rest.Request[Any]] = []

    def server(self, **options: Any) -> Server:
        """Return what commands ask."""
        return Server(
            self.call,
            lambda: self._session.path,
            lambda: self._session.features if self.keyed else Features(),
            self._session.server_time,
            **{"backoff": Backoff(MS, 2 * MS), "late_copy": LATE, **options},
        )

    def call(self, request: rest.Request[Any]) -> Any:
        """Send a request, or have its trouble befall it."""
        self.asked.append(f"{request.method} {request.path}")
        if not request.inserts:
            if (self.reading.pop(0) if self.reading else "ok") == "away":
                raise ConnectionFailed("there is no server")
            return self._session.call(request)
        trouble = self.troubles.pop(0) if self.troubles else "ok"
        if trouble == "killed":
            raise Killed
        if trouble == "away":
            raise ConnectionFailed("there is no server")
        if trouble == "failing":
            raise ServerError("starting", status=503)
        if trouble == "late":
            self._late.append(request)
        if trouble in ("lost", "late"):
            raise OutcomeUnknown("no answer came")
        answer = self._session.call(request)
        if trouble == "killed after":
            raise Killed
        if trouble == "unanswered":
            raise OutcomeUnknown("no answer came")
        return answer

    def arrive(self) -> list[Exception | None]:
        """Have what is late arrive now; return what it came to."""
        late, self._late = self._late, []
        came_to: list[Exception | None] = []
        for request in late:
            try:
                self._session.call(request)
            except Exception as error:
                came_to.append(error)
            else:
                came_to.append(None)
        return came_to


class CommandCase(TargetCase):
    """A lamp's new stream, its device's line, and somebody who commands it."""

    def setUp(self) -> None:
        super().setUp()
        lamp = self.device()
        self.stream: Stream = lamp[new_name()]
        self.stream.create({}, downlink=True)
        self.path = Path.parse(self.stream.path).at_downlink()
        self.records = lamp[f"{self.stream.name[:20]}_answers"]
        self.line = Line(lamp)
        self.commander = self.person()(self.stream.path)
        self.file: FilePath | None = None
        self.errors: list[Exception] = []
        #: Values that the callback was called with.
        self.acted: list[Any] = []
        #: What it returns, or does, given the value.
        self.returns: Callable[[Any], object] = lambda value: True
        self.addCleanup(setattr, steps, "watcher", None)
        self._held: Remembered | None = None

    def command(self, *values: Any, age: float = 0.0) -> None:
        """Command *values*, all at one time, *age* seconds ago."""
        self.commander.insert_array([{"t": time.time() - age, "d": value} for value in values])

    def commands(
        self, server: Server | None = None, answers: bool = False, waits: bool = True, **policy: Any
    ) -> Commands:
        """Begin to handle commands; with a file if the test has one. They end with the test."""
        self._held = Remembered(self.file, self.path, self.url) if self.file else None
        made = Commands(
            self.path,
            server or self.line.server(),
            lambda error, logged=False: self.errors.append(error),
            Policy(**policy),
            self._held,
            answers,
            waits,
        )
        self.addCleanup(made.close)
        return made

    def drive(self, commands: Commands, away_until: int | None = None, begin: int = 0) -> None:
        """Have all commands handled that there are, as a subscription does it."""
        commands.complete()
        place = commands.resume()
        start = place.next if place else begin
        for index, point in enumerate(self.downlink()[start:], start):
            commands.handle(index, point, lambda point=point: self.act(point["d"]), away_until=away_until)  # type: ignore[misc]

    def act(self, value: Any) -> object:
        """Be the callback."""
        self.acted.append(value)
        return self.returns(value)

    def killed(self, run: Callable[[], object], at: Step | None = None) -> None:
        """Run something that is killed, at a step or by a trouble of the line; what the process held is let go."""
        if at is not None:
            steps.watcher = lambda step, index: _kill() if step is at else None
        try:
            with self.assertRaises(Killed):
                run()
        finally:
            steps.watcher = None
            if self._held is not None:
                self._held.close()

    def downlink(self) -> list[Datapoint]:
        """Return all commands."""
        return self.stream(downlink=True)

    def stored(self) -> list[Any]:
        """Return the values of all acknowledgements."""
        return [point["d"] for point in self.stream[:]]

    def recorded(self) -> list[dict[str, Any]]:
        """Return what was recorded, without what differs from run to run."""
        found = [point["d"] for point in self.records[:]]
        return [{name: value for name, value in record.items() if name != "series"} for record in found]

    def values(self, points: Sequence[Datapoint]) -> list[Any]:
        """Return the values of points."""
        return [point["d"] for point in points]


def _kill() -> None:
    raise Killed
