"""
What there is, and what may happen to it.

The server (``docs/topics/wire.rst``): takes a POST whole or not at all; refuses one whose first time is older than the newest
stored time, or that holds a value its schema refuses; accepts equal times; knows no request ids; sometimes stores a POST
and answers with an error all the same; may be stalled. Its stream may be deleted and made anew. The network: a request
that was sent arrives at once, late, or never; its answer arrives or not. The Logger: may be killed between any two steps;
what it has written to its file stays; points are added all the while. Besides: another writer on the same stream, and
somebody who mends the schema, or takes away the right to write.

Worlds are punctual or late. In a punctual one a request that is still on its way has arrived, or never will, ten seconds
after its connection was closed and the server was seen to answer. In a late one it may come at any time, but not between
the settling read and the arrival of what is sent after it: that last window no client of this server can close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from connectordb.logger import plan
from connectordb.logger.plan import Attempt, Step

#: A time, and a value. Each of the Logger's points has a letter of its own, in the order in which they were added: it stands
#: for the row's id as well. Another writer's are "x".
Point = tuple[float, str]
Batch = tuple[Point, ...]

LETTERS = "abcdef"


@dataclass(frozen=True)
class World:
    """
    What may happen in the runs that are searched together.

    Attributes:
        clock: What the clock says as each point is added.
        waiting: So many of them wait at the beginning.
        kills: So often may the Logger be killed.
        cuts: So often may a connection break.
        others: Points of another writer.
        bad: Values that the schema refuses.
        mend: Until somebody mends it.
        odd: An insert may be stored, and answered with an error.
        anew: The stream may be deleted and made anew, once.
        stall: The server may hold a request for longer than the wait.
        late: What is on its way may come at any time.
        away: So often may there be no connection.
        deny: The right to write may be taken away, once; it is given back at any time, or when it was missed twice.
    """

    clock: tuple[float, ...]
    waiting: int
    kills: int = 0
    cuts: int = 0
    others: int = 0
    bad: str = ""
    mend: bool = False
    odd: bool = False
    anew: bool = False
    stall: bool = False
    late: bool = False
    away: int = 0
    deny: bool = False

    def __str__(self) -> str:
        said = [f"clock {' '.join(map(at, self.clock))}", f"{self.waiting} waiting"]
        for name in ("kills", "cuts", "others", "away"):
            if getattr(self, name):
                said.append(f"{getattr(self, name)} {name}")
        if self.bad:
            said.append(f"bad {self.bad}")
        said += [name for name in ("mend", "odd", "anew", "stall", "late", "deny") if getattr(self, name)]
        return ", ".join(said)


class Note(NamedTuple):
    """A note, as in the file: the first and the last row's letter, and the rest as in `connectordb.logger.records.Note`."""

    first: str
    last: str
    length: int
    before: float | None
    attempts: int = 0
    reach: str = ""  # the last row that was in it: what was split off may have been sent


class Doing(NamedTuple):
    """
    What the Logger is about to do with the noted rows.

    Attributes:
        step: As `plan` has decided.
        attempt: What `plan` remembers.
        whole: Whether it was sent once, as it was noted.
        unknown: Outcomes that were unknown in this pass.
        newest: The time of the newest point, as it was read.
        found: The rows that were found.
    """

    step: Step
    attempt: Attempt
    whole: bool = False
    unknown: int = 0
    newest: float = 0.0
    found: str = ""


class State(NamedTuple):
    """A moment."""

    # the server's
    stream: Batch = ()
    mended: bool = False
    anew: bool = False
    gone: str = ""  # deleted with the stream
    denied: int = 0  # 1: the right to write is withdrawn, 2: it was given back
    # the Logger's file
    rows: Batch = ()  # that wait
    added: int = 0
    last: float = 0.0  # the last time that was given out
    note: Note | None = None
    times: Batch = ()  # further times that rows in the note were sent with
    aside: str = ""
    # the Logger's memory, gone when it is killed
    doing: Doing | None = None
    end: tuple[int, float | None] | None = None  # the stream's end, as far as it is known
    answer: str | None = None  # to what was just sent; empty as long as there is none
    # on the wire
    open: Batch | None = None  # the request on the open connection, not yet arrived
    late: tuple[Batch, ...] = ()  # requests whose connection is gone, still on their way
    # what happened
    sent: bool = False  # rows of this note
    kills: int = 0
    cuts: int = 0
    others: int = 0
    away: int = 0
    denials: int = 0  # after which a note stayed


def noted(s: State) -> Batch:
    """Return the rows in the note."""
    note = s.note
    return tuple(row for row in s.rows if note.first <= row[1] <= note.last) if note else ()


def once_sent(s: State) -> Batch:
    """Return the rows that were in the note since it was made: also those that were split off."""
    note = s.note
    return tuple(row for row in s.rows if note.first <= row[1] <= max(note.last, note.reach)) if note else ()


def at(t: float) -> str:
    """Return a time as a reader likes it: 10, or 10+2 where it was moved by two steps."""
    whole, steps = float(int(t)), 0
    while whole < t and steps < 9:
        whole, steps = plan.later(whole), steps + 1
    return f"{t:g}" if steps in (0, 9) else f"{int(t)}+{steps}"


def show(points: Batch) -> str:
    """Return points as a reader likes them."""
    return "[" + " ".join(f"{v}@{at(t)}" for t, v in points) + "]"
