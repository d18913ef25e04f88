"""
The commands of one downlink, handled one after the other; ``docs/topics/commands.rst`` says what is promised.

A command is noted as begun; the callback acts; what it returned is noted as owed; that is written to the server, and noted as done.
After a kill, the next process learns from the note how far the command came. Without a file, the notes are kept in memory.

Everything but `Commands.close` and `Commands.prepare` is called by one thread at a time, that of the subscription's lane.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from ...exceptions import (
    ConnectorDBError,
    DownlinkError,
    DownlinkRefused,
    LocalProtocolError,
    NotFound,
    OutcomeUnknown,
    ResponseError,
)
from ...protocol.answers import FAILED, REFUSED, SKIPPED, Answer
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ..remembering import Place, Remembered
from . import steps
from .acknowledge import Claim, points_to_write
from .companion import Companion
from .ledger import Ledger
from .owed import Debt, Owed
from .policy import DEFAULT, Policy, Skip, now
from .steps import Step
from .writing import GivenUp, NotYet, Server, Writing

log = logging.getLogger(__name__)


class Tell(Protocol):
    """Tells a user what went wrong; *logged* if it is in the log already."""

    def __call__(self, error: Exception, logged: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class _Command:
    """One command: its index, if it has one; its point; the downlink's series; and the claim that its callbacks share."""

    index: int | None
    point: Datapoint
    series: str
    claim: Claim

    @property
    def time(self) -> float:
        time: float = self.point.get("t", 0.0)
        return time

    @property
    def behind(self) -> Place | None:
        """The place just behind it."""
        return None if self.index is None else Place(self.index + 1, self.time, self.series)

    def __str__(self) -> str:
        return f"of time {self.time!r}" if self.index is None else str(self.index)


class _Result(NamedTuple):
    """What came of a callback: the points that acknowledge the command; or what kind of refusal it was, and why."""

    points: tuple[Datapoint, ...] = ()
    outcome: str = ""
    reason: str = ""


class Commands:
    """
    Handles the commands of a downlink.

    Args:
        path: The downlink.
        server: The server.
        tell: Told what goes wrong.
        policy: The user's choices.
        remembered: The remember file, if there is one; closed with this.
        answers: Whether to record what becomes of each command.
        waits: Whether to wait here until what is owed is written; otherwise `NotYet` is raised, and the caller has to call again.

    Raises:
        StorageDamaged: What the file says makes no sense.
    """

    def __init__(
        self,
        path: Path,
        server: Server,
        tell: Tell,
        policy: Policy = DEFAULT,
        remembered: Remembered | None = None,
        answers: bool = False,
        waits: bool = True,
    ) -> None:
        self._path = path
        self._server = server
        self._tell = tell
        self._policy = policy
        self._ledger = Ledger(remembered)
        self._companion = Companion(server, path) if answers else None
        self._is_prepared = False
        self._stopping = threading.Event()
        self._writing = Writing(server, self._stopping)
        self._waits = waits
        # guards the two below
        self._guard = threading.Lock()
        self._working = False
        self._closed = False

    # --- for the subscription -----------------------------------------------------------------------------------------

    def resume(self) -> Place | None:
        """Return where to begin: at the first command that was not handled; `None` if nothing is remembered."""
        return self._ledger.place

    def prepare(self) -> None:
        """
        Create the companion stream, if answers are to be recorded; if this was not called, it is done when the first is due.

        Raises:
            LocalProtocolError: The caller is not the device that is commanded, or another kind of stream has the companion's name.
            ConnectorDBError: The server refused, or is away.
        """
        if self._companion is None or self._is_prepared:
            return
        caller = self._server.caller()
        if caller != self._path.device:
            raise LocalProtocolError(
                f"answers=True, but this is {str(caller)!r}: only {str(self._path.device)!r} answers the commands of "
                f"{str(self._path)!r}"
            )
        self._companion.prepare()
        self._is_prepared = True

    def complete(self) -> None:
        """
        Write what the process before this one owed, if anything; what goes wrong is told.

        Raises:
            NotYet: Call this again later.
        """
        with self._at_work() as is_open:
            if is_open:
                self._pay()

    def handle(
        self,
        index: int | None,
        point: Datapoint,
        act: Callable[[], object],
        *,
        series: str = "",
        claim: Claim | None = None,
        away_until: int | None = None,
    ) -> None:
        """
        Handle one command; what goes wrong is told, and raised only if it ends the thread.

        Args:
            index: Its index in the downlink; `None` if it has none.
            point: The command.
            act: Calls the user's callback with it, and returns what that returned.
            series: The downlink's, as `Cursor.series`.
            claim: Shared with the other callbacks of this command.
            away_until: If it came while there was no connection: the index after the last command that did.

        Raises:
            NotYet: Call this again later with this command, whether it was acted on already or not.
        """
        with self._at_work() as is_open:
            if is_open and self._pay() and not self._ledger.has_handled(index, series):
                try:
                    self._handle(_Command(index, point, series, claim or Claim()), act, away_until)
                except ConnectorDBError as error:  # the file cannot be written; without a note, nothing is acted on
                    self._tell(error)

    def rewind(self, place: Place) -> None:
        """
        Go on from *place*: the stream was made anew or restored, and indices no longer mean what they did.

        Raises:
            StorageError: The file cannot be written.
        """
        with self._at_work() as is_open:
            if is_open:
                self._ledger.rewind(place)

    def close(self) -> None:
        """
        Spend no more time: what is being written now is tried at most once more.

        May be called by any thread, and twice. This closes the file, unless a command is being handled: then that does, at its end.
        """
        self._stopping.set()
        with self._guard:
            was_closed, self._closed = self._closed, True
            working = self._working
        if not working:
            debt = self._ledger.debt
            if debt is not None and not self._waits and not was_closed:
                self._give_up(debt, GivenUp(f"writing to {str(self._path.stream)!r}: closed before it could be done"))
            self._ledger.close()

    # --- the steps ----------------------------------------------------------------------------------------------------

    def _handle(self, command: _Command, act: Callable[[], object], away_until: int | None) -> None:
        interrupted = self._ledger.was_interrupted(command.index, command.point, command.series)
        steps.reached(Step.RECEIVED, command.index)
        age = now(self._server.clock.wall(), self._server.time()) - command.time
        skip = self._policy.skip(command.index, age, away_until, interrupted)
        if skip is not None:
            self._skip(command, skip)
            return
        self._ledger.begin(command.index, command.point, command.series)
        steps.reached(Step.BEGUN, command.index)
        try:
            result = self._act(command, act)
        except BaseException:  # sys.exit(), or Ctrl-C if callbacks run on the user's thread: the same as a crash
            self._ledger.interrupt(command.index, command.point, command.series)
            raise
        steps.reached(Step.ACTED, command.index)
        self._settle(command, result, flush=True)

    def _skip(self, command: _Command, skip: Skip) -> None:
        error = DownlinkError(f"the command {command} of {str(self._path)!r} was not acted on: {skip.why}")
        log.log(logging.WARNING if skip.told else logging.INFO, "%s", error)
        if skip.told:
            self._tell(error, logged=True)
        # no need to flush: after a power cut it would be skipped again
        self._settle(command, _Result((), SKIPPED, skip.why), flush=False)

    def _act(self, command: _Command, act: Callable[[], object]) -> _Result:
        """Call the callback, and return what came of that."""
        try:
            returned = act()
        except DownlinkRefused as refused:
            log.info("the command %s of %s was refused: %s", command, self._path, refused)
            return _Result((), REFUSED, refused.reason or "the device refused, and did not say why")
        except Exception as error:
            log.exception("the callback of %r raised; the subscription goes on", str(self._path))
            self._tell(error, logged=True)
            # only the type: the message is for whoever runs the device, and may say what others need not know
            return _Result((), FAILED, f"the device's callback raised {type(error).__name__}")
        try:
            points = points_to_write(returned, [command.point], self._server.clock.wall())
            if points:
                self._check_own()
        except ConnectorDBError as error:
            self._tell(error)
            return _Result((), FAILED, "the device's callback returned what is no acknowledgement")
        if not points:
            return _Result((), REFUSED, f"the device did not acknowledge: its callback returned {returned!r}")
        # if there are several callbacks, the first one acknowledges; a later one has nothing to write
        return _Result(tuple(points)) if command.claim.take() else _Result()

    def _check_own(self) -> None:
        caller = self._server.caller()
        if caller != self._path.device:
            raise LocalProtocolError(
                f"a callback of {str(self._path)!r} returned an acknowledgement, but this is {str(caller)!r}: only "
                f"{str(self._path.device)!r} acknowledges. Return None here; nothing was written"
            )

    def _settle(self, command: _Command, result: _Result, flush: bool) -> None:
        """Note what is owed for a command, and write it; or note that nothing is owed."""
        # if several callbacks refuse, the last one records it
        debt = self._debt_for(command, result) if result.points or command.claim.give_up() else None
        if debt:
            self._ledger.owe(command.behind, debt, flush)
            steps.reached(Step.OWED, command.index)
            self._pay()
        else:
            self._ledger.handled(command.behind, flush)
            steps.reached(Step.DONE, command.index)

    def _debt_for(self, command: _Command, result: _Result) -> Debt:
        acknowledgement = record = None
        if result.points:
            acknowledgement = Owed(self._path.stream, result.points, uuid.uuid4().hex, self._server.clock.wall())
        if self._companion is not None and command.index is not None:
            done = Answer(command.index, command.series, answer=result.points)
            refused = Answer(command.index, command.series, result.outcome, (), result.reason)
            record = self._companion.owed(done if result.points else refused)
        return Debt(command.index, acknowledgement, record)

    # --- writing what is owed -----------------------------------------------------------------------------------------

    def _pay(self) -> bool:
        """Write what is owed, if anything; tell whether nothing is owed any more."""
        debt = self._ledger.debt
        if debt is None:
            return True
        # what has no index cannot come again
        self._writing.waits = self._waits or debt.command is None
        try:
            if debt.acknowledgement is not None:
                debt = self._acknowledge(debt, debt.acknowledgement)
                steps.reached(Step.ACKNOWLEDGED, debt.command)
            if debt.record is not None:
                self._record(debt, debt.record)
                steps.reached(Step.RECORDED, debt.command)
            # no need to flush: if it is found to be owed after a power cut, it is looked for first, or written under the same key
            self._ledger.change(Debt(debt.command), flush=False)
        except NotYet as later:
            self._ledger.doubted = self._ledger.doubted or later.doubted
            raise
        except GivenUp as error:
            self._give_up(debt, error)
            return False
        except ConnectorDBError as error:  # the file
            self._ledger.doubted = True
            self._tell(error)
            return False
        self._writing.put_off = 0
        steps.reached(Step.DONE, debt.command)
        return True

    def _acknowledge(self, debt: Debt, owed: Owed) -> Debt:
        """Write the acknowledgement, and return what is still owed."""
        try:
            stored = self._write(owed, lambda owed: replace(debt, acknowledgement=owed))
        except (ResponseError, OutcomeUnknown) as error:
            self._tell(error)
            debt = debt.not_acknowledged(FAILED, f"the device's acknowledgement could not be written: {error}")
        else:
            debt = replace(debt, acknowledgement=stored).acknowledged()
        self._ledger.change(debt, flush=False)
        return debt

    def _record(self, debt: Debt, owed: Owed) -> None:
        try:
            self._writing.insist(owed.path, self.prepare)
            try:
                self._write(owed, lambda owed: replace(debt, record=owed))
            except NotFound:  # the companion was removed meanwhile
                self._is_prepared = False
                self._writing.insist(owed.path, self.prepare)
                self._write(owed, lambda owed: replace(debt, record=owed))
        except (ResponseError, OutcomeUnknown, LocalProtocolError) as error:
            self._tell(error)

    def _write(self, owed: Owed, changed: Callable[[Owed], Debt]) -> Owed:
        return self._writing.write(owed, lambda owed: self._ledger.change(changed(owed)), self._ledger.doubted)

    def _give_up(self, debt: Debt, error: GivenUp) -> None:
        self._ledger.doubted = True
        if self._ledger.outlives and debt.command is not None:
            log.warning("%s; it is remembered, and written when this is started again", error)
            return
        which = "" if debt.command is None else f"{debt.command} "
        self._tell(DownlinkError(f"the command {which}of {str(self._path)!r} stays without an answer: {error}"))

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[bool]:
        """Keep the file open for the length of a block; yields whether it is still open."""
        with self._guard:
            is_open = self._working = not self._closed
        try:
            yield is_open
        finally:
            with self._guard:
                self._working = False
                closed = self._closed
            if closed:
                self._ledger.close()
