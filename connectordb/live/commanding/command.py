"""One command, from writing it to hearing the device's answer."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol, TypeVar

from ...exceptions import (
    ClosedError,
    ConnectorDBError,
    DownlinkRefused,
    DownlinkTimeout,
    LocalProtocolError,
    NotFound,
    PermissionDenied,
    TimedOut,
)
from ...protocol import answers, json_text, rest
from ...protocol.doubts import of_value
from ...protocol.features import Features
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...runtime.clock import Clock, Deadline
from ..feedback import check_insert
from ..live import Live
from .hearing import Answered, Hearing, Refused
from .listening import Ear, Listening
from .sending import Sending

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds without an answer after which the command's index is looked up; a quick answer makes that needless.
_UNANSWERED = 0.25

#: Seconds between looks at what became of a command: the first pause, and the longest.
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 2.0


class Session(Protocol):
    """What is needed of a `connectordb.client.session.Session`."""

    clock: Clock

    def call(self, request: rest.Request[T]) -> T:
        """Send a request."""

    @property
    def live(self) -> Live:
        """The subscriptions."""

    @property
    def path(self) -> Path:
        """The caller."""

    @property
    def features(self) -> Features:
        """What the server can do beyond 0.3."""

    def within(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Make every call of this thread end at *deadline*, for the length of a block."""


def command(session: Session, path: Path, value: Any, timeout: float) -> Datapoint:
    """
    Command *value* to the stream at *path*, and return the point with which its device answered.

    Args:
        session: The caller's.
        path: The stream, or its downlink.
        value: A JSON value.
        timeout: Seconds for all of it.

    Raises:
        DownlinkTimeout: The device did not answer in time; the error says whether the command was written.
        DownlinkRefused: The device refused.
        LocalProtocolError: *value* or *timeout* is not valid, an integer would arrive as another one, the stream takes no commands,
            or the caller is the stream's own device.
        ConnectorDBError: The server refused, or is away; nothing was written.

    Calls: ``GET crud/<path>`` of the stream and of its companion, ``GET crud/<path>/data?q=length``, the websocket's ``subscribe``,
    ``POST crud/<path>/data?downlink=true``; to find the command again ``GET crud/<path>/data``.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise LocalProtocolError(f"timeout={timeout!r}: expected seconds, above 0 and finite")
    value = json_text.checked(value)
    if doubt := of_value(value):
        raise LocalProtocolError(f"the command has {doubt}")
    deadline = Deadline(timeout, session.clock)
    with session.within(deadline), ExitStack() as ending:
        attempt = _Attempt(session, path.stream, value, deadline, timeout)
        try:
            attempt.listen(ending)
            attempt.sending.write()
        except ConnectorDBError as error:
            if deadline.passed() and not isinstance(error, LocalProtocolError):
                raise attempt.timeout() from error
            raise
        return attempt.wait()


class _Attempt:
    """One command: what is sent, what is heard, and when it has to be over."""

    def __init__(self, session: Session, stream: Path, value: Any, deadline: Deadline, timeout: float) -> None:
        self._session, self._stream, self._deadline, self._seconds = session, stream, deadline, timeout
        self._value = value
        self._ear = Ear()
        self._trouble: ConnectorDBError | None = None
        downlink = stream.at_downlink()
        check_insert(downlink, lambda: session.path)
        caller = session.path
        if caller == stream.device:
            raise LocalProtocolError(
                f"{str(caller)!r} commands {str(stream)!r}, which is its own: a device acknowledges itself. Act, and insert what "
                "was done; to try out a daemon, command it as another device"
            )
        self.sending = Sending(
            session.call,
            downlink,
            value,
            caller,
            session.clock.wall,
            lambda: session.features.idempotency is not None,
        )

    def listen(self, ending: ExitStack) -> None:
        """Listen to the stream from now on, and to the device's records, if there are any; until *ending* is closed."""
        call, live = self._session.call, self._session.live
        fields = call(rest.read(self._stream))
        if not fields.get("downlink"):
            raise LocalProtocolError(
                f"{str(self._stream)!r} is no downlink: its device takes no commands. It does with stream.downlink = True"
            )
        self.sending.is_stored = not fields.get("ephemeral")
        companion = self._companion() if self.sending.is_stored else None
        self._hearing = Hearing(self._value, companion is not None)
        if companion is not None:
            self._hear(ending, live, companion, call(rest.length(companion)), self._hearing.recorded)
        stored = self.sending.is_stored
        heard = self._hear(ending, live, self._stream, call(rest.length(self._stream)) if stored else None, self._told)
        while not stored and not heard.is_live:  # what is not stored cannot be fetched later
            if self._deadline.passed():
                raise TimedOut(
                    f"{str(self._stream)!r} could not be watched in time: {self._ear.trouble or 'no word came'}"
                )
            self._ear.wait(self._deadline.left() or 0.0)

    def _hear(
        self, ending: ExitStack, live: Live, path: Path, since: int | None, told: Callable[[Sequence[Datapoint]], None]
    ) -> Listening:
        listening = Listening(live, path, since, self._ear, told)
        # twice, as Ctrl-C may interrupt the first call
        ending.callback(listening.close)
        ending.callback(listening.close)
        listening.start()
        return listening

    def _companion(self) -> Path | None:
        """Return the stream in which the device records its answers, if it ever has."""
        companion = answers.companion(self._stream)
        try:
            found = self._session.call(rest.read(companion))
        except (NotFound, PermissionDenied):
            return None
        return companion if found.get("datatype") == answers.DATATYPE else None

    def _told(self, points: Sequence[Datapoint]) -> None:
        self._hearing.told(points, self._session.clock.monotonic())

    def wait(self) -> Datapoint:
        """Wait for the answer, and meanwhile find out what is not known about the command yet."""
        clock, sending, hearing = self._session.clock, self.sending, self._hearing
        unanswered = 0.0 if sending.is_written is None else min(_UNANSWERED, self._seconds / 2)
        look_at = clock.monotonic() + (0.0 if hearing.is_recorded else unanswered)
        pause = _FIRST_LOOK
        while True:
            now = clock.monotonic()
            verdict = hearing.verdict(now)
            if isinstance(verdict, Answered):
                return verdict.point
            if isinstance(verdict, Refused):
                raise DownlinkRefused(
                    f"{str(self._stream.device)!r} refused a command to {str(self._stream)!r}: {verdict.reason}",
                    verdict.reason,
                )
            if self._deadline.passed():
                raise self.timeout() from self._trouble
            if now >= look_at and not sending.is_settled:
                self._look()
                pause, look_at = min(2 * pause, _LONGEST_LOOK), clock.monotonic() + pause
                continue
            self._ear.wait(self._until(now, hearing.due(), look_at))

    def _until(self, now: float, due: float | None, look_at: float) -> float:
        """Return after how many seconds there is something to do even if nothing is heard."""
        left = self._deadline.left() or 0.0
        times = [] if due is None else [due]
        if not self.sending.is_settled:
            times.append(look_at)
        return max(0.0, min([left, *(time - now for time in times)]))

    def _look(self) -> None:
        sending = self.sending
        try:
            sending.settle()
        except ClosedError:
            raise
        except ConnectorDBError as error:
            if sending.is_written is False:
                raise  # now the server says that the command was not written, and will not be
            log.info("what became of a command to %s: %s", self._stream, error)
            self._trouble = error
            return
        self._hearing.index = sending.index

    def timeout(self) -> DownlinkTimeout:
        """Return the error that no answer came in time."""
        sending = self.sending
        written = {
            True: "the command was written"
            + (f" (index {sending.index} of the downlink)" if sending.index is not None else "")
            + " and may be obeyed yet; is the device's program running?",
            False: "the command was not written",
            None: "whether the command was written is not known; look at the downlink before it is given again",
        }[sending.is_written]
        trouble = f" (meanwhile: {self._ear.trouble})" if self._ear.trouble else ""
        return DownlinkTimeout(
            f"commanding {str(self._stream)!r}: no answer within {self._seconds:g} s; {written}{trouble}",
            written=sending.is_written,
            index=sending.index,
        )
