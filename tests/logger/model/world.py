"""
What there is, and what may happen to it.

The server (``docs/topics/wire.rst``): takes a POST whole or not at all; refuses one whose first time is older than the newest
stored time, or that holds a value its schema refuses; accepts equal times; knows no request ids, unless it announces that
it does; sometimes stores a POST and answers with an error all the same; may be stalled; may lose its newest points if its
machine fails, unless it announces that it does not. Its stream may be deleted and made anew, or restored from a backup.
The network: a request that was sent arrives at once, late, or never; its answer arrives or not. The Logger: may be killed between any
two steps; what it has written to its file stays; points are added all the while. Besides: another writer on the same stream,
and somebody who mends the schema, or takes away the right to write.

Worlds are punctual or late. In a punctual one a request that is still on its way has arrived, or never will, ten seconds
after its connection was closed and the server was seen to answer. In a late one it may come at any time, but not between
the settling read and the arrival of what is sent after it: that last window no client of a server without keys can close.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

from connectordb.logger.records import Row
from connectordb.logger.times import later
from connectordb.protocol.features import Features

from .cache import File

#: A time, and a value. Each of the Logger's points has a letter of its own, in the order in which they were added. Another
#: writer's are "x".
Point = tuple[float, str]
Batch = tuple[Point, ...]

LETTERS = "abcdef"

#: That of a point with a time of the user's.
USERS = "u"


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
        away: So often may there be no connection, or no answer to a reading.
        lossy: The server does not announce that it flushes before it answers.
        crashes: So often may its machine fail, and lose the newest inserts of the last ten seconds.
        bad: Values that the schema refuses.
        mend: Until somebody mends it.
        odd: An insert may be stored, and answered with an error.
        anew: The stream may be deleted and made anew, once.
        stall: The server may hold a request for longer than the wait.
        late: What is on its way may come at any time.
        deny: The right to write may be taken away, once; it is given back at any time, or when it was missed twice.
        keys: The server announces that it knows inserts by their names.
        forget: It may forget them, once.
        replaced: So often may the server be replaced: by one that announces no names, then by one that does, and so on.
        backup: The stream may be restored from a backup, once, with the names that it had then.
        restamp: What is too old is given other times.
        given: A time with which the user inserts a point.
        clear: The user may drop all that waits, once.
        wrong: By how much the clock was wrong when it stamped the points that wait at the beginning.
    """

    clock: tuple[float, ...]
    waiting: int
    kills: int = 0
    cuts: int = 0
    others: int = 0
    away: int = 0
    lossy: bool = False
    crashes: int = 0
    bad: str = ""
    mend: bool = False
    odd: bool = False
    anew: bool = False
    stall: bool = False
    late: bool = False
    deny: bool = False
    keys: bool = False
    forget: bool = False
    replaced: int = 0
    backup: bool = False
    restamp: bool = False
    given: float = 0.0
    clear: bool = False
    wrong: float = 0.0

    def __str__(self) -> str:
        said = [f"clock {' '.join(map(at, self.clock))}"]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value is True:
                said.append(field.name)
            elif value:
                said.append(
                    f"{field.name} {value}" if field.name in ("bad", "given", "wrong") else f"{value} {field.name}"
                )
        return ", ".join(said)


class Sent(NamedTuple):
    """A request on the wire: the points, and its name."""

    batch: Batch
    key: str


class State(NamedTuple):
    """A moment."""

    process: int
    # the server's
    stream: Batch = ()
    ends: tuple[int, ...] = ()  # of inserts: how long the stream was after each
    flushed: int = 0
    names: tuple[Sent, ...] = ()  # the inserts whose names it knows
    mended: bool = False
    anew: bool = False
    restored: bool = False
    forgot: bool = False
    replaced: int = 0
    denied: int = 0  # 1: the right to write is withdrawn, 2: it was given back
    given: bool = False
    cleared: bool = False
    gone: str = ""  # what somebody deleted
    lost: str = ""  # what a failing machine lost while a pass was under way, which may not have noticed
    # on the wire
    open: Sent | None = None  # the request on the open connection, not yet arrived
    answer: str = ""  # what it is answered with
    late: tuple[Sent, ...] = ()  # requests whose connection is gone, still on their way
    # what happened
    added: int = 0
    kills: int = 0
    cuts: int = 0
    others: int = 0
    away: int = 0
    crashes: int = 0
    denials: int = 0  # passes that ended with that


def features(world: World, s: State) -> Features:
    """Return what the server announces."""
    return Features(durable=not world.lossy, idempotency=3600 if world.keys and s.replaced % 2 == 0 else None)


def letters(rows: Iterable[Row]) -> str:
    """Return the letters of rows."""
    return "".join(row.d[1:-1] for row in rows)


def waiting(file: File) -> Batch:
    """Return the points that wait."""
    return tuple((row.t, row.d[1:-1]) for row in file.waiting())


def at(t: float) -> str:
    """Return a time as a reader likes it: 10, or 10+2 where it was moved by two steps."""
    whole, steps = float(int(t)), 0
    while whole < t and steps < 9:
        whole, steps = later(whole), steps + 1
    return f"{t:g}" if steps in (0, 9) else f"{int(t)}+{steps}"


def show(points: Batch) -> str:
    """Return points as a reader likes them."""
    return "[" + " ".join(f"{v}@{at(t)}" for t, v in points) + "]"
