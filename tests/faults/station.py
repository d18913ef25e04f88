"""A Logger as the stage has it: its file, its streams, the book on them, and the processes that have it open."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectordb.exceptions import Conflict

from .book import Book, Point
from .check import Allowed, adds_up, all_is_settled, receipts_are_right, stream_is_right
from .process import Process
from .stage import Stage

#: Passes after which points that still wait would wait for ever, and the seconds that the Logger's clocks show between two.
_PASSES = 8
_BETWEEN = 15.0

#: Where the times of points begin that get theirs from whoever logs: some years ago, so that none lies in the future.
_EPOCH = 1_600_000_000.0

#: The two streams. In one the Logger gives the times, and points are told apart by their values. In the other all values are
#: equal, and the times tell them apart: by the second for a Logger's, half a second later for another writer's.
COUNTED, TIMED = "counted", "timed"

#: Points to a batch: fewer than are logged at once, or more.
SMALL, LARGE = 2, 500

#: What another writer is called, and whoever logs what the server's schema refuses.
ANOTHER, BAD = "another", "bad"


class Wrong(AssertionError):
    """What was found, a line each."""


@dataclass
class _Given:
    """Points that a process was told to log, and how many of them it has told of."""

    who: str
    book: Book
    points: list[Point]
    at_once: bool
    beside: bool
    told: int = 0


class Station:
    """
    See the module.

    Args:
        stage: Where it stands.
        number: Tells it from others.
        timeout: Seconds that its Logger waits for an answer.
        layer: What lies under SQLite in its processes: nothing, ``full`` or ``lossy``.
        options: What the Logger is made with besides.
        schema: That of the stream in which the Logger gives the times, as the server has it.
    """

    def __init__(
        self,
        stage: Stage,
        number: int,
        timeout: float = 5.0,
        layer: str = "",
        options: Mapping[str, Any] | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        self.stage = stage
        self.folder = stage.work / f"logger{number}"
        self.durable = stage.work / f"logger{number}-durable"
        for folder in (self.folder, self.durable):
            folder.mkdir()
        self.file: Path = self.folder / "cache.db"
        self._timeout = timeout
        self._layer = layer
        self.options = dict(options or {})
        #: Of every four Loggers two send what they have in several batches, whatever they learn of the server.
        self.batch = SMALL if number // 2 % 2 else LARGE
        #: What the wall clocks of its processes differ by from the machine's.
        self.stepped = 0.0
        self._waited = 0.0
        self.books = {flavour: Book(f"{flavour}{number}") for flavour in (COUNTED, TIMED)}
        self._flavours = {book.name: flavour for flavour, book in self.books.items()}
        self._schemas = {COUNTED: schema or {}}
        for flavour, book in self.books.items():
            stage.stream(book.name).create(self._schemas.get(flavour, {}))
        self._processes: dict[str, Process] = {}
        self._given: dict[int, _Given] = {}
        self._receipts: dict[int, _Given] = {}
        self._tags = itertools.count()
        self._numbers = itertools.count(1)
        self._reasons: dict[str, dict[Any, str]] = {}
        self._judged: set[Any] = set()

    # --- processes ------------------------------------------------------------------------------------------------------

    def process(self, who: str = "a") -> Process:
        """Return the process of that name, with the Logger open; made if there is none."""
        process = self._processes.get(who)
        if process is None or not process.alive:
            process = self.bare(who)
            failure = process.ask(**self.opening())
            if failure is not None:
                raise Wrong(f"the file cannot be opened: {failure}")
        return process

    def bare(self, who: str = "a") -> Process:
        """Return a new process with no Logger yet."""
        process = self.stage.process(self._told, self._waits)
        if self._layer:
            process.ask("layer", kind=self._layer, folder=str(self.durable))
        self._processes[who] = process
        return process

    def opening(self) -> dict[str, Any]:
        """Return the command that opens the Logger."""
        return {
            "do": "open",
            "file": str(self.file),
            "url": self.stage.proxy.url,
            "apikey": self.stage.apikey,
            "streams": [book.name for book in self.books.values()],
            "timeout": self._timeout,
            "without": self.stage.without,
            "stepped": self.stepped,
            "waited": self._waited,
            "batch": self.batch,
            "options": self.options,
        }

    def kill(self, who: str = "a") -> None:
        """End a process by ``kill -9``, if it lives."""
        if who in self._processes:
            self._processes[who].kill()
        left = [tag for tag, given in self._given.items() if given.who == who]
        for number, tag in enumerate(left):
            given = self._given.pop(tag)
            # in doubt is what was begun; what it was to log after that was not, unless other threads did
            if number == 0 or given.beside:
                given.book.doubtful.update(given.points if given.at_once else given.points[given.told : given.told + 1])

    def doubt(self, before: Mapping[str, int]) -> None:
        """
        Have those points in doubt that were accepted last: the power was cut, and their Logger does not promise more.

        Args:
            before: Of each stream, how many were accepted before those.
        """
        for flavour, count in before.items():
            book = self.books[flavour]
            book.doubtful.update(book.accepted[count:])
            del book.accepted[count:]

    def close(self) -> None:
        """End all processes."""
        for who in self._processes:
            self.kill(who)

    # --- points ---------------------------------------------------------------------------------------------------------

    def logging(
        self, flavour: str, number: int, who: str = "a", beside: bool = False, bad: Callable[[], bool] = bool
    ) -> dict[str, Any]:
        """
        Return the command that logs new points.

        Args:
            flavour: In which stream.
            number: How many.
            who: Which process is going to be told.
            beside: Whether other threads of it log as well.
            bad: Says of each point whether the server's schema refuses it.
        """
        book, tag = self.books[flavour], next(self._tags)
        # what is logged by several threads has no order among them
        whose = f"{who}{tag}" if beside else who
        points = [(BAD if bad() else whose, next(self._numbers)) for _ in range(number)]
        given = _Given(who, book, points, at_once=flavour == TIMED, beside=beside)
        self._given[tag] = self._receipts[tag] = given
        command = {"stream": book.name, "tag": tag}
        if flavour == TIMED:
            return {"do": "insert_many", "points": [[_EPOCH + n, 0] for _, n in points], **command}
        return {
            "do": "insert",
            "values": [list(point) if point[0] != BAD else f"{BAD} {point[1]}" for point in points],
            **command,
        }

    def log(self, number: int, flavours: Iterable[str] = (COUNTED, TIMED), who: str = "a") -> None:
        """Log so many new points in each of the streams."""
        for flavour in flavours:
            self.process(who).ask(**self.logging(flavour, number, who))

    def sync(self, who: str = "a") -> str | None:
        """Sync; return what it says if that fails."""
        failure: str | None = self.process(who).ask("sync")
        return failure

    def _waits(self, seconds: float) -> None:
        self.stage.let_time_pass()
        self._waited += seconds

    def let_pass(self, seconds: float) -> None:
        """Have so many seconds gone by on its processes' clocks."""
        self.process().ask("let_pass", seconds=seconds)
        self._waited += seconds

    def _told(self, what: str, tag: int, first: int, number: int) -> None:
        given = self._given[tag]
        points = given.points[first : first + number]
        if what == "accepted":
            given.book.accepted.extend(points)
        elif what == "doubtful":
            given.book.doubtful.update(points)
        else:
            given.book.refused.update(points)
        given.told = first + number
        if given.told == len(given.points):
            del self._given[tag]

    def now(self) -> float:
        """Return what the clocks of its processes show."""
        return time.time() + self.stepped

    def write_as_another(self, flavour: str, t: float | None = None) -> bool:
        """Store a point as another writer does, at the time *t* or at that of the latest there is; tell whether the server took it."""
        book = self.books[flavour]
        stream = self.stage.stream(book.name)
        point = (ANOTHER, next(self._numbers))
        if flavour == TIMED:
            t = _EPOCH + point[1] + 0.5
        elif t is None:
            last = stream[-1:]
            t = last[0]["t"] if last else _EPOCH
        body: Any = [{"t": t, "d": 0 if flavour == TIMED else list(point)}]
        try:
            self.stage.owner.request("POST", f"crud/{stream.path}/data", data=body)
        except Conflict:
            return False
        book.others.append(point)
        return True

    def make_anew(self, flavour: str) -> None:
        """Delete a stream and make it anew."""
        book = self.books[flavour]
        self.read(book)
        stream = self.stage.stream(book.name)
        stream.delete()
        stream.create(self._schemas.get(flavour, {}))
        self.read_anew(book)

    # --- the verdict ----------------------------------------------------------------------------------------------------

    def settle(self, allowed: Allowed) -> None:
        """
        Let nothing go wrong any more, sync until nothing waits, and check everything.

        Args:
            allowed: Tells whether a point may lie aside for a reason.

        Raises:
            Wrong: Something is not as it should be.
        """
        self.stage.recover()
        wrong = self.glance()
        self.stage.calm()
        failures = []
        self.process().ask("sync_no_more")
        for _ in range(_PASSES):
            failure = self.sync()
            if failure is None and not self._waiting():
                break
            failures.append(failure)
            self.let_pass(_BETWEEN)
        self.stage.proxy.let_arrive()
        wrong += self.glance()
        wrong += self._receipts_are_right()
        for book in self.books.values():
            wrong += all_is_settled(book, self._counts[book.name], self._reasons[book.name], allowed)
            book.resolve()
            self._judged.update(book.aside)
        if wrong:
            raise Wrong("\n".join([*dict.fromkeys(wrong), *(f"a pass said: {failure}" for failure in failures)]))

    def _receipts_are_right(self) -> list[str]:
        wrong = []
        for tag, number, state in self.process().ask("receipts"):
            given = self._receipts[tag]
            wrong += receipts_are_right(given.book, given.points[number], state)
        self._receipts.clear()
        return wrong

    def _waiting(self) -> int:
        self._look()
        return sum(counts["waiting"] for counts in self._counts.values())

    def _look(self) -> None:
        said = self.process().ask("ledger")
        self._counts: dict[str, dict[str, int]] = said["streams"]
        for book in self.books.values():
            reasons = [
                (self._point(book, t, d), reason) for name, t, d, reason in said["rejected"] if name == book.name
            ]
            book.aside = [point for point, _ in reasons]
            self._reasons[book.name] = {point: reason for point, reason in reasons if point not in self._judged}

    def glance(self) -> list[str]:
        """Return what is wrong by now, whatever waits."""
        self._look()
        wrong = []
        for book in self.books.values():
            wrong += adds_up(book, self._counts[book.name])
            self.read(book)
            wrong += stream_is_right(book)
        return wrong

    def read(self, book: Book) -> None:
        """Read what the stream has got since it was read last."""
        held = book.held
        first = max(0, len(held) - 1)
        points = [
            (point["t"], self._point(book, point["t"], point["d"])) for point in self.stage.stream(book.name)[first:]
        ]
        if held and points[:1] != held[-1:]:
            raise Wrong(f"{book.name}: at {first} there was {held[-1]}, and now there is {points[:1]}")
        held[first:] = points

    def read_anew(self, book: Book) -> None:
        """The stream is another one, or an older state of it: what it held and does not is gone."""
        before, book.held = book.held, []
        self.read(book)
        book.gone |= {point for _, point in before} - {point for _, point in book.held}

    def _point(self, book: Book, t: float, d: Any) -> Any:
        if self._flavours[book.name] == COUNTED:
            if isinstance(d, str) and d.startswith(BAD):
                return BAD, int(d.removeprefix(BAD))
            return tuple(d) if isinstance(d, list) else repr(d)
        whole, part = divmod(t - _EPOCH, 1)
        return ("a" if part < 0.5 else ANOTHER, int(whole)) if d == 0 else f"{d!r} at {t!r}"
