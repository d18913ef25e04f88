"""The Logger's side of a moment: a pass begins, is told what it waits for, or cannot go on yet."""

from __future__ import annotations

from collections.abc import Hashable

from .cache import BASE, File
from .process import Asked, Begin, Node, Processes, Told
from .surroundings import Steps, Surroundings
from .world import Batch, Sent, State, World, features, letters, show, waiting


class Driver:
    """
    The Logger's steps.

    Args:
        world: What may happen.
        processes: The processes that were met.
        surroundings: What happens to them.
        by_the_clock: The wait is over when it is over, whatever the server does meanwhile.
    """

    def __init__(self, world: World, processes: Processes, surroundings: Surroundings, by_the_clock: bool) -> None:
        self._world, self._processes, self._surroundings = world, processes, surroundings
        self._by_the_clock = by_the_clock

    def steps(self, s: State) -> Steps:
        """Yield each thing that the Logger may do next, in words, and what there is then."""
        node = self._processes.nodes[s.process]
        if not node.asked.what:
            yield from self._begin(s, node.file)
        elif node.asked.what == "wait":
            # what is late has arrived by its end, or never will, unless the server held it
            if not s.late or self._world.late or (self._world.stall and self._by_the_clock):
                yield from self._told(s._replace(flushed=len(s.stream)), node, Told(), "the wait is over")
        elif node.asked.what == "insert":
            yield from self._insert(s, node)
        else:
            found = (
                len(s.stream) if node.asked.what == "length" else s.stream[node.asked.first : node.asked.end or None]
            )
            yield from self._told(s, node, Told(found, features(self._world, s)), f"it reads {_read(found)}")
            if s.away < self._world.away:
                yield from self._told(s._replace(away=s.away + 1), node, Told(), "there is no answer")

    def _begin(self, s: State, file: File) -> Steps:
        if not file.rows and file.note is None:
            return
        ids, newest = [row.id for row in file.waiting()], max((row.id for row in file.rows), default=BASE)
        # of any size, and up to any row: more may have come since the pass began
        for count in range(1, len(ids) + 1) or [0]:
            for size in range(2, max(2, count) + 1):
                upto = ids[count - 1] if count else newest
                begin = Begin(upto, size, features(self._world, s), self._world.restamp)
                yield from self._event(s, file, begin, f"a pass begins, {count} points in batches of {size}")
                if file.wrong and not file.judged:
                    said = f"a pass begins that knows the time, {count} points in batches of {size}"
                    yield from self._event(s, file, begin._replace(judges=True), said)

    def _insert(self, s: State, node: Node) -> Steps:
        if s.answer:
            heard = features(self._world, s) if s.answer != "broken" else None
            told = self._told(s._replace(answer=""), node, Told(s.answer, heard), "it hears of that")
            for what, after in told:
                ended = s.answer == "denied" and not self._processes.nodes[after.process].asked.what
                yield what, after._replace(denials=s.denials + ended)
        elif s.open is None:
            batch: Batch = node.asked.batch
            yield f"it sends {show(batch)}", s._replace(open=Sent(batch, node.asked.key or ""))
            if s.away < self._world.away:
                yield from self._told(s._replace(away=s.away + 1), node, Told("away"), "there is no connection")

    def _told(self, s: State, node: Node, told: Told, what: str) -> Steps:
        return self._event(s, node.file, told, what)

    def _event(self, s: State, before: File, event: Hashable, what: str) -> Steps:
        after, between = self._processes.step(s.process, event)
        node = self._processes.nodes[after]
        yield f"{what}{_changes(before, node.file)}; {_will(node.asked)}", s._replace(process=after)
        if s.kills < self._world.kills:
            for file in between:
                killed = self._surroundings.killed(s, file)
                yield f"{what}{_changes(before, file)}; it is killed", killed


def _read(found: int | Batch) -> str:
    return f"that there are {found}" if isinstance(found, int) else show(found)


def _will(asked: Asked) -> str:
    if asked.what == "insert":
        return f"it will send {show(asked.batch)}" + (f" as {asked.key}" if asked.key else "")
    if asked.what == "points":
        return f"it will read from {asked.first} to {asked.end}"
    return {"length": "it will ask for the length", "wait": "it will wait", "": "the pass ends"}[asked.what]


def _changes(before: File, after: File) -> str:
    """Say what was changed in the file."""
    said = []
    aside = after.aside[len(before.aside) :]
    rows = {row.id: row.t for row in after.rows}
    off = [row for row in before.rows if row.id not in rows and row not in aside]
    if off:
        said.append(f"takes {letters(off)} off")
    if aside:
        said.append(f"sets {letters(aside)} aside")
    if any(rows.get(row.id, row.t) != row.t for row in before.rows):
        said.append(f"moves: {show(waiting(after))}")
    if after.held_up_to > before.held_up_to:
        held = [row for row in after.rows if before.held_up_to < row.id <= after.held_up_to]
        said.append(f"holds {letters(held)}")
    if after.held_up_to < before.held_up_to:
        said.append(f"lets {letters(row for row in after.rows if row.id <= before.held_up_to)} wait again")
    note = after.note
    if note is not None and note != before.note:
        noted = [row for row in after.rows if note.first <= row.id <= note.last]
        said.append(f"notes {letters(noted)} behind {note.length} points")
    elif note is None and before.note is not None and not (off or aside or after.held != before.held):
        said.append("drops the note")
    return "".join(f", {text}" for text in said)
