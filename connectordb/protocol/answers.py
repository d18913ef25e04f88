"""
What became of a command, as the device's daemon records it: one point per command in a companion of the commanded stream.

An acknowledgement alone does not say which command it belongs to, and a refusal leaves no trace at all. So a daemon that was
asked to (``answers=True``) appends to a stream of its own beside that one: the command's index in the downlink, which is its
identity, what became of it, and the answer or the reason. ``docs/topics/commands.rst`` has the format in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from .constants import NAME_LIMIT
from .paths import Path
from .points import Datapoint, read_point

#: By this datatype a companion is known; a stream of that name with another one is somebody's own.
DATATYPE = "connectordb.answers"

#: The companion's schema. Readers pass over what they do not know in a record.
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

#: The outcome of a command that was acknowledged; every other one is a refusal, whatever it is called.
DONE = "done"

#: A callback refused; it raised something else, or what it returned could not be written; it was not called.
REFUSED, FAILED, SKIPPED = "refused", "failed", "skipped"

#: Characters of a reason that are kept.
REASON_LIMIT = 1000

_SUFFIX = "_answers"


def companion(path: Path) -> Path:
    """Return where the answers to the commands of a stream, or of its downlink, are recorded."""
    name = path.stream.name
    if len(name) + len(_SUFFIX) > NAME_LIMIT:
        # cut, and told from others that begin alike
        digest = f"_{crc32(name.encode()):08x}"
        name = name[: NAME_LIMIT - len(digest) - len(_SUFFIX)] + digest
    return path.device / f"{name}{_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What became of one command.

    Attributes:
        command: Its index in the downlink.
        series: What tells the downlink from another one that had its path before; ``""`` on servers that do not say.
        outcome: `DONE`, or what kind of refusal it was.
        answer: The points that acknowledged it, as they are stored; none unless it was done.
        reason: Why not; empty if it was done.
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
        """Return what a recorded value says; ``None`` if it is no record."""
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
