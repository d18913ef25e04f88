"""
What became of each command, as the device's daemon records it in a companion of the commanded stream.

An acknowledgement alone does not say which command it belongs to, and a refusal leaves no trace at all. So a daemon with
``answers=True`` appends one point per command to a second stream beside the commanded one. The point holds the command's index
in the downlink, which identifies it, what became of it, and the answer or the reason. ``docs/topics/commands.rst`` describes
the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from .constants import NAME_LIMIT
from .paths import Path
from .points import Datapoint, read_point

#: The datatype that marks a companion. A stream with a companion's name but another datatype is not ours to write to.
DATATYPE = "connectordb.answers"

#: The companion's schema. Readers ignore keys that they do not know.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "command": {"type": "integer"},
        "series": {"type": "string"},
        "outcome": {"type": "string"},
        "answer": {"type": "array"},
        "reason": {"type": "string"},
    },
    "required": ["command", "outcome"],
}

#: The outcome of a command that was acknowledged. Every other outcome is a refusal, also one that is not known here.
DONE = "done"

#: The callback refused; it raised an exception, or what it returned could not be written; it was not called.
REFUSED, FAILED, SKIPPED = "refused", "failed", "skipped"

#: The most characters that are kept of a reason.
REASON_LIMIT = 1000

_SUFFIX = "_answers"


def companion(path: Path) -> Path:
    """Return the path of the stream that records the answers to commands of a stream or its downlink."""
    name = path.stream.name
    if len(name) + len(_SUFFIX) > NAME_LIMIT:
        # too long a name is cut; the checksum tells it from others that begin alike
        digest = f"_{crc32(name.encode()):08x}"
        name = name[: NAME_LIMIT - len(digest) - len(_SUFFIX)] + digest
    return path.device / f"{name}{_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What became of one command.

    Attributes:
        command: Its index in the downlink.
        series: Tells the downlink from an earlier one at the same path; ``""`` if the server does not say.
        outcome: `DONE`, or the kind of refusal.
        answer: The points that acknowledged it, as they are stored; empty unless it was done.
        reason: Why it was refused; empty if it was done.
    """

    command: int
    series: str = ""
    outcome: str = DONE
    answer: tuple[Datapoint, ...] = ()
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the command was acknowledged."""
        return self.outcome == DONE

    def value(self) -> dict[str, Any]:
        """Return the value of the point that records it."""
        about: dict[str, Any] = {"command": self.command, "series": self.series, "outcome": self.outcome}
        if self.is_done:
            return {**about, "answer": list(self.answer)}
        return {**about, "reason": self.reason[:REASON_LIMIT]}

    @classmethod
    def read(cls, value: Any) -> Answer | None:
        """Return the answer that a value records; ``None`` if it is no record of one."""
        if not isinstance(value, dict):
            return None
        command, series, outcome = value.get("command"), value.get("series", ""), value.get("outcome")
        points, reason = value.get("answer", []), value.get("reason", "")
        if isinstance(command, float) and command.is_integer():
            command = int(command)  # a server may keep every number as a float
        if not isinstance(command, int) or isinstance(command, bool) or not isinstance(outcome, str):
            return None
        if not isinstance(series, str) or not isinstance(reason, str) or not isinstance(points, list):
            return None
        if not all(isinstance(point, dict) for point in points):
            return None
        return cls(command, series, outcome, tuple(read_point(dict(point)) for point in points), reason)
