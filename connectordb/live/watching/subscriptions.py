"""
What is wanted, what the server was told, and what to send next: a pure state machine, one for the life of a client.

A subscription is identified by the text of its path and its transform. Each goes through the states of `State`; a lost connection
throws all of them back to the first. There are two kinds of servers:

- A server that answers commands (``docs/topics/beyond_0_3.rst``) is told at once, and its answer says what became of the command.
- On an original server, a subscribe that fails silences the whole connection
  (``docs/topics/wire.rst``, "What can be subscribed to"). So the server is told only after a look, over REST, has shown that the stream
  exists and is readable. There are no answers, but the server obeys commands in order, and answers pings in between: a pong says that
  all commands before its ping were obeyed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ...protocol.feed import Command

#: The text of a path, and a transform.
Key = tuple[str, str]


class State(enum.Enum):
    """How far a wanted subscription has come."""

    WANTED = "wanted"  #: the stream has to be looked at, at once or, after a failure, after a pause
    LOOKING = "looking"  #: it is being looked at
    READABLE = "readable"  #: the server may be told
    TOLD = "told"  #: the command is on its way
    LIVE = "live"  #: the server has obeyed


@dataclass(slots=True)
class _Entry:
    """
    A wanted subscription.

    Attributes:
        look_at: While it is `State.WANTED`: when to look at the stream, in monotonic seconds.
        failures: How many looks, or commands, failed in a row.
        ping: While it is `State.TOLD`, at an original server: the number of the ping whose pong says that it obeyed.
        command: While it is `State.TOLD`, at a server that answers: the id of the command.
    """

    state: State = State.WANTED
    look_at: float = 0.0
    failures: int = 0
    ping: int = 0
    command: int = 0


class Subscriptions:
    """The state of all subscriptions of one client. It has no lock: whoever shares it between threads has to lock."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        #: What the server was told, on this connection, that we watch.
        self._told: set[Key] = set()
        self._is_open = False
        self._is_answered = False  # whether the server answers commands
        self._commands = 0  # the id of the last command
        #: The commands whose answers are still to come.
        self._asked: dict[int, Key] = {}
        self._epoch = 0
        self._pings = 0  # the number of the last ping that was sent, and of the last that was answered
        self._answered = 0
        self._unpinged = False  # whether commands were sent since the last ping

    # --- what the user wants ------------------------------------------------------------------------------------------

    def subscribe(self, key: Key) -> None:
        """Want *key*. If it is wanted already, the server is told once more: its answer says where a new subscriber begins."""
        self._entries.setdefault(key, _Entry())
        self.again(key)

    def again(self, key: Key) -> None:
        """Look at *key*, and tell the server, once more; subscribing twice makes no difference to it."""
        entry = self._entries.get(key)
        if entry is not None and entry.state is not State.LOOKING:
            entry.state, entry.look_at = State.WANTED, 0.0

    def lost_sight(self, key: Key, again_at: float) -> None:
        """Note that the server no longer tells of *key*, or may not; look again at *again_at*."""
        entry = self._entries.get(key)
        self._told.discard(key)
        if entry is not None and entry.state in (State.TOLD, State.LIVE):
            entry.state, entry.look_at = State.WANTED, again_at
            entry.failures += 1

    def unsubscribe(self, key: Key) -> None:
        """No longer want *key*; an unknown one is ignored."""
        self._entries.pop(key, None)

    @property
    def wanted(self) -> frozenset[Key]:
        """What is wanted."""
        return frozenset(self._entries)

    def state(self, key: Key) -> State | None:
        """How far *key* has come; ``None`` if it is not wanted."""
        entry = self._entries.get(key)
        return None if entry is None else entry.state

    def __bool__(self) -> bool:
        """Tell whether anything is wanted."""
        return bool(self._entries)

    @property
    def is_waiting(self) -> bool:
        """Whether there are commands that were not answered; the loop may read this without the lock."""
        return self._is_open and (bool(self._asked) or self._answered < self._pings)

    # --- what became of the connection --------------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The number of losses so far: what was seen before a loss is worth nothing after it."""
        return self._epoch

    def opened(self, is_answered: bool) -> None:
        """Note that there is a new connection, over which nothing was told yet, and whether its server answers commands."""
        self._is_open = True
        self._is_answered = is_answered

    def lost(self) -> None:
        """Note that there is no connection, or that an attempt to make one failed."""
        self._is_open = False
        self._epoch += 1
        self._told.clear()
        self._asked.clear()
        self._answered = self._pings
        self._unpinged = False
        for entry in self._entries.values():
            entry.state = State.WANTED
            entry.look_at = 0.0
            entry.failures = 0

    # --- looking before subscribing -----------------------------------------------------------------------------------

    def to_look_at(self, now: float) -> list[Key]:
        """Return the streams to be looked at now, and note that the caller looks at them."""
        if not self._is_open:
            return []
        due = [key for key, entry in self._entries.items() if entry.state is State.WANTED and entry.look_at <= now]
        for key in due:
            self._entries[key].state = State.READABLE if self._is_answered else State.LOOKING
        return [] if self._is_answered else due

    def next_look(self) -> float | None:
        """Return when a stream is to be looked at next; ``None`` if none is."""
        times = (entry.look_at for entry in self._entries.values() if entry.state is State.WANTED)
        return min(times, default=None) if self._is_open else None

    def readable(self, key: Key, epoch: int) -> None:
        """Note that a look in *epoch* found the stream, readable."""
        entry = self._entries.get(key)
        if entry is not None and epoch == self._epoch and entry.state is State.LOOKING:
            entry.state = State.READABLE

    def failures(self, key: Key) -> int:
        """Return how often in a row looking at *key* has failed on this connection."""
        entry = self._entries.get(key)
        return 0 if entry is None else entry.failures

    def not_readable(self, key: Key, epoch: int, again_at: float) -> None:
        """Note that a look in *epoch* did not find the stream, or failed; look again at *again_at*."""
        entry = self._entries.get(key)
        if entry is not None and epoch == self._epoch and entry.state is State.LOOKING:
            entry.state = State.WANTED
            entry.look_at = again_at
            entry.failures += 1

    # --- what crosses the wire ----------------------------------------------------------------------------------------

    def outgoing(self, most: int) -> list[Command]:
        """Return the commands to send next, *most* of them at most, and note that the server is told."""
        if not self._is_open:
            return []
        commands = [self._end(key) for key in sorted(self._told - self._entries.keys())[:most]]
        for key, entry in self._entries.items():
            if len(commands) >= most:
                break
            if entry.state is State.READABLE:
                commands.append(self._begin(key, entry))
        self._unpinged = self._unpinged or bool(commands)
        return commands

    def _begin(self, key: Key, entry: _Entry) -> Command:
        entry.state = State.TOLD
        self._told.add(key)
        if not self._is_answered:
            entry.ping = self._pings + 1
            return Command("subscribe", key[0], key[1])
        self._commands += 1
        entry.command = self._commands
        self._asked[entry.command] = key
        return Command("subscribe", key[0], key[1], id=entry.command)

    def _end(self, key: Key) -> Command:
        self._told.discard(key)
        return Command("unsubscribe", key[0], key[1])

    def done(self, command: object) -> Key | None:
        """Note that a command was obeyed; return the key that is live by it, if it is still wanted."""
        key, entry = self._answer(command)
        if entry is None:
            return None
        entry.state, entry.failures = State.LIVE, 0
        return key

    def failed(self, command: object, again_at: float) -> Key | None:
        """Note that a command was refused, and is to be given again at *again_at*; return its key, if it is still wanted."""
        key, entry = self._answer(command)
        if entry is None or key is None:
            return None
        self._told.discard(key)
        entry.state, entry.look_at = State.WANTED, again_at
        entry.failures += 1
        return key

    def asked(self, command: object) -> Key | None:
        """Return the key of a command that has not been answered yet; ``None`` if there is no such command."""
        return self._asked.get(command) if isinstance(command, int) else None

    def _answer(self, command: object) -> tuple[Key | None, _Entry | None]:
        key = self.asked(command)
        if key is None:
            return None, None
        del self._asked[command]  # type: ignore[arg-type]
        entry = self._entries.get(key)
        current = entry is not None and entry.state is State.TOLD and entry.command == command
        return key, entry if current else None

    def ping(self) -> int | None:
        """Return the number to send in a ping after the commands; ``None`` if nothing has to be confirmed."""
        if self._is_answered:
            return None
        waiting = any(entry.state is State.TOLD and entry.ping > self._pings for entry in self._entries.values())
        if not self._is_open or not (self._unpinged or waiting):
            return None
        self._unpinged = False
        self._pings += 1
        return self._pings

    def pong(self, number: int) -> list[Key]:
        """Note the answer to a ping, and to all pings before it; return the keys that are live by it."""
        if not self._is_open or not self._answered < number <= self._pings:
            return []  # a pong to no ping of ours
        self._answered = number
        live = [key for key, entry in self._entries.items() if entry.state is State.TOLD and entry.ping <= number]
        for key in live:
            self._entries[key].state = State.LIVE
        return live
