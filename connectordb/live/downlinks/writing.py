"""
Writing what is owed, once, whatever happens: servers that are away, answers that never come, the end of this process.

A server that knows idempotency keys (``docs/topics/beyond_0_3.rst``) is sent the same insert under the same key until it answers.
For any other server, an insert without an answer is looked for in the stream, from the length that was noted before it was sent. If it
is not there, it is looked for once more after the time that a late copy may take. If it is still not there, it is sent again with
times a step later, so that a copy which arrives even later is refused as older. Times are moved here and sent with ``POST``, never
moved by the server: only then is it known what to look for, and what the stream holds afterwards.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from ...exceptions import (
    ClosedError,
    Conflict,
    ConnectorDBError,
    InvalidRequest,
    LocalProtocolError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    ResponseError,
)
from ...protocol import json_text, refusals, rest
from ...protocol.constants import DATAPOINT_INSERT_LIMIT
from ...protocol.features import Features
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.proof import LATE_COPY, Answer, judge
from ...protocol.ranges import read_parameters
from ...protocol.restamp import Call
from ...protocol.settle import Settling
from ...runtime.backoff import Backoff
from ...runtime.clock import SYSTEM, Clock
from .owed import Owed

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The pauses between attempts, as long as the server does not say what became of them.
BACKOFF = Backoff(first=0.5, longest=30.0)

#: How an original server begins a refusal that is due to a trouble of its own (``docs/topics/wire.rst``, "Errors").
_TROUBLES = ("pq:", "database is locked", "redis:")

#: How many times in one attempt the times are moved because another writer has stored something later.
_CONFLICTS_AT_MOST = 5


@dataclass(frozen=True)
class Server:
    """
    The server, as this side of commands knows it.

    Attributes:
        call: Sends a REST request, and returns what its answer says, or raises.
        caller: Returns the path of the logged-in device.
        features: Returns what the last answer announced.
        time: Returns what the server's clock shows, reckoned from its last answer; `None` if that did not say.
        clock: This machine's clocks.
        backoff: The pauses between attempts.
        late_copy: Seconds that an insert without an answer is given to arrive.
    """

    call: Call
    caller: Callable[[], Path]
    features: Callable[[], Features] = Features
    time: Callable[[], float | None] = lambda: None
    clock: Clock = SYSTEM
    backoff: Backoff = BACKOFF
    late_copy: float = LATE_COPY


class GivenUp(ConnectorDBError):
    """It could not be written before the subscription was closed; if it was noted in a file, the next process writes it."""


class NotYet(Exception):
    """
    It could not be written now, and this thread must not wait.

    Attributes:
        seconds: How long to wait before it is tried again.
        doubted: Whether it may have been written all the same.
    """

    def __init__(self, seconds: float, doubted: bool) -> None:
        super().__init__(f"to be tried again in {seconds:.1f} s")
        self.seconds = seconds
        self.doubted = doubted


class _Again(Exception):
    """Nothing is settled yet: try once more."""

    def __init__(self, why: ConnectorDBError) -> None:
        super().__init__(str(why))
        self.why = why


class Writing:
    """
    Writes what is owed.

    Args:
        server: The server.
        stopping: Set when no more time is to be spent: the attempt that is running then is the last.

    Attributes:
        waits: Whether to wait here between attempts; otherwise each attempt that fails raises `NotYet`.
        put_off: How many times in a row that has happened.
    """

    def __init__(self, server: Server, stopping: threading.Event) -> None:
        self._server = server
        self._stopping = stopping
        self.waits = True
        self.put_off = 0

    def write(self, owed: Owed, note: Callable[[Owed], None], doubted: bool) -> Owed:
        """
        Write *owed*, and return it as it was stored.

        Args:
            owed: What to write.
            note: Called with the new value before *owed* changes.
            doubted: Whether it may have been sent before.

        Raises:
            ResponseError: The server refused it; nothing is stored.
            OutcomeUnknown: The stream is ephemeral, so nobody can tell whether it arrived; it is not sent again.
            GivenUp: This was closed before it was settled.
            NotYet: Try again later.
        """
        attempt = _Attempt(self._server, owed, note, doubted, self._wait)
        failures = 0
        while True:
            try:
                return attempt.make()
            except _Again as again:
                failures += 1
                self._pause(owed.path, failures, again.why, attempt.doubted)

    def insist(self, path: Path, request: Callable[[], None]) -> None:
        """
        Make a *request* about *path* until it is answered.

        Raises:
            ConnectorDBError: It was refused, and would be refused again.
            GivenUp: This was closed before it was answered.
            NotYet: Try again later.
        """
        failures = 0
        while True:
            try:
                request()
                return
            except ClosedError as error:
                raise GivenUp(f"asking for {str(path)!r}: {error}") from error
            except ConnectorDBError as error:
                if is_final(error):
                    raise
                failures += 1
                self._pause(path, failures, error)

    def _pause(self, path: Path, failures: int, why: ConnectorDBError, doubted: bool = False) -> None:
        if self._stopping.is_set():
            raise GivenUp(f"writing to {str(path)!r} before the end: {why}") from why
        if not self.waits:
            failures = self.put_off = self.put_off + 1
        pause = self._server.backoff.pause(failures, random.random)
        log.log(
            logging.WARNING if failures == 1 else logging.INFO,
            "writing to %s: %s; trying again in %.1f s",
            path,
            why,
            pause,
        )
        if not self.waits:
            raise NotYet(pause, doubted)
        self._server.clock.wait(self._stopping, pause)

    def _wait(self, path: Path) -> None:
        """Wait until a copy that was sent has arrived, or never will."""
        log.info("waiting %g s for a late copy of what was sent to %s", self._server.late_copy, path)
        if self._server.clock.wait(self._stopping, self._server.late_copy):
            raise GivenUp(f"writing to {str(path)!r}: closed while waiting for a late copy")


class _Attempt:
    """The attempts at one insert."""

    def __init__(
        self, server: Server, owed: Owed, note: Callable[[Owed], None], doubted: bool, wait: Callable[[Path], None]
    ) -> None:
        self._server = server
        self._owed = owed
        self._note = note
        #: Whether a copy may be stored, or on its way.
        self.doubted = doubted
        self._wait = wait
        #: Whether the server has answered anything, so that it is known what it announces.
        self._heard = not doubted
        #: Whether the server did not accept its key.
        self._nameless = False

    def make(self) -> Owed:
        """
        Write it, and return it as it was stored.

        Raises:
            _Again: It could not be written now, or it is not known whether it was.
        """
        if not self._heard:  # this process has just begun: find out whether the server is there, and what it can do
            self._asked(rest.length(self._owed.path))
            self._heard = True
        for _ in range(_CONFLICTS_AT_MOST):
            if not self._is_keyed():
                if self.doubted and self._is_settled():
                    return self._owed
                if self._owed.before is None:
                    self._change(replace(self._owed, before=self._asked(rest.length(self._owed.path))))
            try:
                self._send()
                return self._owed
            except GivenUp:
                raise
            except ConnectorDBError as error:
                if self._is_stored(error):
                    return self._owed
        raise _Again(ConnectorDBError("another writer is always faster"))

    def _is_stored(self, error: ConnectorDBError) -> bool:
        """Tell whether a copy is stored in spite of its *error*; raise if it was refused for good, or has to be sent again later."""
        answer = judge(error)
        if isinstance(error, ResponseError) and refusals.STORED_ALL_THE_SAME in error.message:
            return True
        if answer is Answer.OLDER:
            end: list[Datapoint] = self._asked(rest.points(self._owed.path, read_parameters({"i1": -1})))
            self._change(self._owed.above(end[-1].get("t", 0.0) if end else 0.0))
        elif answer is Answer.KEYLESS:
            self._nameless = True
            # either it has no room for keys (429), or it knows this key from an earlier copy
            self.doubted = self.doubted or not (isinstance(error, ResponseError) and error.status == 429)
        elif answer in (Answer.REFUSED, Answer.DENIED) and not _is_credentials(error):
            raise error
        else:
            self.doubted = self.doubted or answer is Answer.UNKNOWN
            raise _Again(error) from error
        return False

    def _is_keyed(self) -> bool:
        """Tell whether the server knows the insert by its key, and cannot have forgotten it since."""
        seconds = self._server.features().idempotency
        age = self._server.clock.wall() - self._owed.since
        return not self._nameless and seconds is not None and (not self.doubted or 0 <= age < seconds)

    def _send(self) -> None:
        owed = self._owed
        key = owed.key if self._is_keyed() else None
        request = rest.insert_text(owed.path, json_text.dumps(list(owed.points)), len(owed.points), key=key)
        try:
            self._server.call(request)
        except ClosedError as error:
            raise GivenUp(f"writing to {str(owed.path)!r}: {error}") from error

    def _is_settled(self) -> bool:
        """Tell whether a copy is stored; if not, move the times, so that no copy sent so far can be stored after the next one."""
        if self._is_there():
            return True
        if self._asked(rest.read(self._owed.path)).get("ephemeral", False):
            raise OutcomeUnknown(
                f"inserting {len(self._owed.points)} point(s) into {str(self._owed.path)!r}: no answer came, and as the stream "
                "is ephemeral, it cannot be looked whether they arrived; they were not sent again"
            )
        self._wait(self._owed.path)
        if self._is_there():
            return True
        self._change(self._owed.moved())
        self.doubted = False
        return False

    def _is_there(self) -> bool:
        settling = Settling(self._owed.sent)
        if self._owed.before is None:  # so far it was sent only under its key, if at all: look for it by its times
            first, last = self._owed.span
            there: list[Datapoint] = self._asked(
                rest.points(self._owed.path, read_parameters({"t1": first, "t2": last}))
            )
            settling.look(there)
            return settling.complete
        begin = self._owed.before
        while not settling.complete:
            page = self._page(begin)
            settling.look(page)
            if len(page) < DATAPOINT_INSERT_LIMIT:
                break
            begin += len(page)
        return settling.complete

    def _page(self, begin: int) -> list[Datapoint]:
        limits = {"i1": begin, "i2": begin + DATAPOINT_INSERT_LIMIT}
        try:
            page: list[Datapoint] = self._asked(rest.points(self._owed.path, read_parameters(limits)))
            return page
        except InvalidRequest as refused:
            if refused.message != refusals.INVALID_RANGE:  # the stream is shorter than it was
                raise
            return []

    def _asked(self, request: rest.Request[T]) -> T:
        try:
            return self._server.call(request)
        except ClosedError as error:
            raise GivenUp(f"writing to {str(self._owed.path)!r}: {error}") from error
        except ConnectorDBError as error:
            if is_final(error):
                raise
            raise _Again(error) from error

    def _change(self, owed: Owed) -> None:
        self._note(owed)
        self._owed = owed


def is_final(error: ConnectorDBError) -> bool:
    """Tell whether it was the server itself that refused a request, and would refuse it again."""
    if isinstance(error, LocalProtocolError):
        return True
    if not isinstance(error, (Conflict, InvalidRequest, NotFound, PermissionDenied)):
        return False
    # without a reference, it is a proxy in between that answers; 429 means "later"
    return bool(error.ref) and error.status != 429 and not error.message.startswith(_TROUBLES)


def _is_credentials(error: ConnectorDBError) -> bool:
    """Tell whether the credentials were refused: that may be a trouble of the server, or a key that will be set right."""
    return isinstance(error, ResponseError) and error.status == 401
