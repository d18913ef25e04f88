"""A stream that is commanded: the daemon that obeys, those who command it and wait for the answers, and what must be true of all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectordb import ConnectorDB, ConnectorDBError
from connectordb.exceptions import DownlinkRefused, DownlinkTimeout
from connectordb.live import Batch

from .proxy import LiveProxy
from .stage import Stage

#: Seconds that a command may take, beyond those that it was given; and until all of a station's commands are obeyed.
_SLACK, _OBEYED = 3.0, 10.0

#: Seconds that a client of who commands waits for a connection, and for an answer.
_TIMEOUT = (0.5, 1.0)


@dataclass
class Call:
    """A call of ``stream.command``, and what came of it."""

    value: Any
    seconds: float
    answer: dict[str, Any] | None = None
    error: Exception | None = None
    took: float = 0.0
    thread: threading.Thread = field(init=False)


class Lamp:
    """
    See the module.

    Args:
        stage: Where it is.
        daemon: The client of the device that is commanded; its proxy is that of the stage.
        name: The stream.
        answers: Whether the daemon records what became of each command.

    Attributes:
        proxy: Behind which those are who command.
    """

    def __init__(self, stage: Stage, daemon: ConnectorDB, name: str, answers: bool) -> None:
        self._stage, self._answers = stage, answers
        self._path = f"{stage.device}/{name}"
        stage.stream(self._path).create({}, downlink=True)
        self._changed = threading.Condition()
        # guarded by it
        self._acted: list[int | None] = []
        self.proxy = LiveProxy(stage.target.url)
        self.proxy.announces = stage.proxy.announces
        self._client = ConnectorDB(stage.commander_key, url=self.proxy.url, timeout=_TIMEOUT)
        self._calls: list[Call] = []
        self._of_before: Counter[Any] = Counter()
        self._counts: Counter[str] = Counter()
        daemon(self._path).subscribe(self._act, downlink=True, since=0, answers=answers, on_error=lambda error: None)

    def command(self, value: Any, seconds: float) -> None:
        """Command something, on a thread of its own."""
        call = Call(value, seconds)
        call.thread = threading.Thread(target=self._command, args=(call,), name="commander", daemon=True)
        self._calls.append(call)
        call.thread.start()

    def close(self) -> None:
        """End those who command."""
        self._client.close()
        self.proxy.close()
        for path in (self._path, f"{self._path}_answers"):
            try:
                self._stage.stream(path).delete()
            except ConnectorDBError:
                pass  # nothing was recorded

    # --- what happens there ---------------------------------------------------------------------------------------------

    def _act(self, path: str, points: Batch) -> object:
        index = points.first_index
        with self._changed:
            self._acted.append(index)
            self._changed.notify_all()
        if _is_refused(points[0]["d"]) and self._answers:
            raise DownlinkRefused("it is too hot")
        # which command it answers can be seen where that is recorded; elsewhere the value is what tells
        return {"d": [index, points[0]["d"]]} if self._answers else True

    def _command(self, call: Call) -> None:
        began = time.monotonic()
        try:
            call.answer = self._client(self._path).command(call.value, timeout=call.seconds)
        except Exception as error:  # it is judged with all others
            call.error = error
        call.took = time.monotonic() - began

    # --- the verdict ----------------------------------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Wait until all is obeyed and answered that is going to be, and return what is not as it should be."""
        self.proxy.calm()
        self.proxy.release()
        calls, self._calls = self._calls, []
        for call in calls:
            call.thread.join(call.seconds + _SLACK + _OBEYED)
            if call.thread.is_alive():
                return [f"a command that was given {call.seconds:g} s has not returned"]
        wrong = [*self._of_calls(calls), *self._of_daemon()]
        for call in calls:
            self._counts[_outcome(call)] += 1
        return wrong

    def take_counts(self) -> Counter[str]:
        """Return what came of the commands, and forget it."""
        counts, self._counts = self._counts, Counter()
        return counts

    def _commands(self) -> list[dict[str, Any]]:
        return list(self._stage.stream(self._path)(i1=0, downlink=True))

    def _of_daemon(self) -> Iterator[str]:
        """Check that each command was acted on once, in order, and acknowledged and recorded likewise."""
        commands = self._commands()
        with self._changed:
            self._changed.wait_for(lambda: len(self._acted) >= len(commands), _OBEYED)
            acted = list(self._acted)
        if acted != list(range(len(commands))):
            yield f"of {len(commands)} commands these were acted on: {_differences(acted, len(commands))}"
            return
        if self._answers:
            obeyed = [index for index, command in enumerate(commands) if not _is_refused(command["d"])]
            right: Sequence[Any] = [[index, commands[index]["d"]] for index in obeyed]
            outcomes = ["refused" if _is_refused(command["d"]) else "done" for command in commands]
            yield from self._comes_to("the records are", f"{self._path}_answers", list(enumerate(outcomes)), _record)
        else:
            right = [command["d"] for command in commands]
        yield from self._comes_to("the acknowledgements are", self._path, right, lambda value: value)

    def _comes_to(self, what: str, path: str, right: Sequence[Any], of: Any) -> Iterator[str]:
        """Wait until a stream holds what it should; what is written is written after the callback has returned."""
        deadline, pause = time.monotonic() + _OBEYED, threading.Event()
        stream = self._stage.stream(path)
        while True:
            found = [of(point["d"]) for point in stream[0:]] if right else []
            if found == list(right):
                return
            if time.monotonic() > deadline or len(found) > len(right):
                yield f"{what} {found[-10:]}, and should be {list(right)[-10:]} ({len(found)}, {len(right)})"
                return
            pause.wait(0.02)

    def _of_calls(self, calls: Sequence[Call]) -> Iterator[str]:
        """Check that each call says what is so: its own answer, or truly that there is none."""
        commands = self._commands()
        stored = Counter(str(command["d"]) for command in commands)
        sure, perhaps = Counter[str](), Counter[str]()
        taken: Counter[int] = Counter()
        for call in calls:
            if call.took > call.seconds + _SLACK:
                yield f"the command {call.value} was given {call.seconds:g} s, and took {call.took:.1f} s"
            written = self._written(call)
            if call.answer is not None and not self._answers and sure[str(call.value)]:
                written = None  # of equal commands at once, one answer may be taken for that to all
            (perhaps if written is None else sure)[str(call.value)] += written is not False
            if call.answer is not None:
                yield from self._of_answer(call, call.answer, commands, taken)
            index = getattr(call.error, "index", None)
            if index is not None and commands[index]["d"] != call.value:
                yield f"{call.error!r}: the command at {index} is {commands[index]}"
            if not isinstance(call.error, (ConnectorDBError, type(None))):
                yield f"the command {call.value} raised {call.error!r}"
            if isinstance(call.error, DownlinkRefused) and not (self._answers and _is_refused(call.value)):
                yield f"the command {call.value} was refused: {call.error!r}"
        for value in {*stored, *sure}:
            new = stored[value] - self._of_before[value]
            if not sure[value] <= new <= sure[value] + perhaps[value]:
                yield f"{value} was commanded {sure[value]} times, {perhaps[value]} more perhaps, and stands there {new} times"
        self._of_before = stored

    def _written(self, call: Call) -> bool | None:
        """Return whether the command stands in the downlink, by what the call said."""
        if isinstance(call.error, DownlinkTimeout):
            return call.error.written
        return call.error is None or isinstance(call.error, DownlinkRefused)

    def _of_answer(
        self, call: Call, answer: dict[str, Any], commands: Sequence[dict[str, Any]], taken: Counter[int]
    ) -> Iterator[str]:
        if not self._answers:
            if answer["d"] != call.value:
                yield f"the command {call.value} was answered with {answer}"
            return
        index, value = answer["d"]
        taken[index] += 1
        if value != call.value or commands[index]["d"] != call.value or taken[index] > 1:
            yield f"the command {call.value} was answered with {answer}, which is the answer to {commands[index]}"


def _is_refused(value: Any) -> bool:
    return bool(value == 3)


def _outcome(call: Call) -> str:
    """Return what came of a call, in a word."""
    if call.error is None:
        return "answered"
    if isinstance(call.error, DownlinkRefused):
        return "refused"
    return "without an answer" if isinstance(call.error, DownlinkTimeout) else "not sent"


def _record(value: dict[str, Any]) -> tuple[int, str]:
    return int(value["command"]), str(value["outcome"])


def _differences(acted: Sequence[int | None], number: int) -> str:
    twice = [index for index, often in Counter(acted).items() if often > 1]
    missing = sorted(set(range(number)) - {index for index in acted if index is not None})
    return f"{len(acted)} calls, twice {twice[:5]}, missing {missing[:5]}, the last {list(acted)[-5:]}"
