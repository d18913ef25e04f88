"""What happens to a Logger: to its requests, to the stream, to its process."""

from __future__ import annotations

from collections.abc import Iterator

from .cache import File, reopened
from .process import Added, Happened, Processes, Put
from .world import LETTERS, USERS, Batch, Sent, State, World, at, letters, show

#: How another writer's times lie to the Logger's.
_TIMES_OF_OTHERS = (10.0, 15.0, 25.0)

#: Passes that end because the right to write is taken away; a lone point may move with each.
_DENIALS = 2

Steps = Iterator[tuple[str, State]]


class Surroundings:
    """What may happen next, of itself."""

    def __init__(self, world: World, processes: Processes) -> None:
        self._world, self._processes = world, processes

    def steps(self, s: State) -> Steps:
        """Yield each thing that may happen, in words, and what there is then."""
        yield from self.network(s)
        yield from self._process(s)
        yield from self._people(s)
        yield from self._machine(s)

    def network(self, s: State) -> Steps:
        """Yield what may happen to requests."""
        world = self._world
        if s.open is not None:
            after, answer = self._post(s, s.open)
            yield f"the request arrives: {answer}", after._replace(open=None, answer=answer)
            if world.odd and answer == "ok":
                yield (
                    "the request arrives, is stored, and answered with an error",
                    after._replace(open=None, answer="odd"),
                )
        for n, sent in enumerate(s.late):
            rest = s.late[:n] + s.late[n + 1 :]
            after, answer = self._post(s, sent)
            if not (world.late and self._overtaken(s, sent.batch, rest)):
                yield f"a late copy of {show(sent.batch)} arrives: {answer}", after._replace(late=rest)
            yield f"a late copy of {show(sent.batch)} is lost", s._replace(late=rest)
        if (s.open is not None or s.answer not in ("", "broken")) and s.cuts < world.cuts:
            yield "the connection breaks", _disconnected(s)._replace(cuts=s.cuts + 1, answer="broken")

    def _post(self, s: State, sent: Sent) -> tuple[State, str]:
        batch, key = sent
        if not (self._world.keys and s.replaced % 2 == 0):
            key = ""
        known = next((name.batch for name in s.names if name.key == key), None) if key else None
        if known is not None:
            return s, "ok" if known == batch else "other points"
        if s.denied == 1 and s.denials < _DENIALS:
            return s, "denied"
        if not s.mended and any(v in self._world.bad for _, v in batch):
            return s, "schema"
        if any(after[0] < before[0] for before, after in zip(batch, batch[1:], strict=False)):
            return s, "not ordered"
        if s.stream and batch[0][0] < s.stream[-1][0]:
            return s, "older"
        names = tuple(sorted((*s.names, sent))) if key else s.names
        return self._stored(s._replace(names=names), batch), "ok"

    def _stored(self, s: State, batch: Batch) -> State:
        stream = s.stream + batch
        if not (self._world.lossy or self._world.backup):
            return s._replace(stream=stream)
        return s._replace(stream=stream, ends=(*s.ends, len(stream)))

    def _process(self, s: State) -> Steps:
        world = self._world
        node = self._processes.nodes[s.process]
        if s.kills < world.kills and (node.asked.what or node.seen):
            yield "the Logger is killed and starts again", self.killed(s, node.file)
        if s.added < len(world.clock):
            event = Added(world.clock[s.added], f'"{LETTERS[s.added]}"')
            process = self._processes.step(s.process, event).process
            row = self._processes.nodes[process].file.rows[-1]
            added = s._replace(process=process, added=s.added + 1)
            yield f"a point is added: {show(((row.t, LETTERS[s.added]),))}", added

    def killed(self, s: State, file: File) -> State:
        """Return what is left after a kill that left *file*."""
        process = self._processes.idle(reopened(file))
        return _disconnected(s)._replace(process=process, kills=s.kills + 1, answer="")

    def _people(self, s: State) -> Steps:
        world = self._world
        if s.others < world.others:
            newest = s.stream[-1][0] if s.stream else 0.0
            for t in sorted({newest or 10.0, *_TIMES_OF_OTHERS}):
                if t >= newest:
                    stored = self._stored(s._replace(others=s.others + 1), ((t, "x"),))
                    yield f"another writer stores a point at {at(t)}", stored
        if world.given and not s.given:
            put = self._processes.step(s.process, Put(world.given, f'"{USERS}"', world.restamp)).process
            yield f"the user inserts a point at {at(world.given)}", s._replace(process=put, given=True)
        if world.clear and not s.cleared:
            file = self._processes.nodes[s.process].file
            cleared = self._processes.step(s.process, Happened.CLEARED).process
            gone = s.gone + letters(file.waiting())
            yield "the user drops what waits", s._replace(process=cleared, cleared=True, gone=gone)
        if world.mend and not s.mended:
            yield "the schema is mended", s._replace(mended=True)
        if world.deny and s.denied < 2:
            said = ("the right to write is taken away", "the right to write is given back")[s.denied]
            yield said, s._replace(denied=s.denied + 1)
        if world.anew and not s.anew and s.stream:
            yield "the stream is deleted and made anew", _cut(s, 0, deleted=True)._replace(anew=True)
        if world.backup and not s.restored and s.stream and not self._goes_again(s):
            for kept in (0, *s.ends[:-1]):
                restored = _cut(s, kept, deleted=True)._replace(restored=True)
                yield f"the server is restored from a backup, with {kept} points", restored

    def _machine(self, s: State) -> Steps:
        world = self._world
        if s.crashes < world.crashes:
            for kept in sorted({s.flushed, *(end for end in s.ends if end > s.flushed)} - {len(s.stream)}):
                said = f"the server's machine fails; {kept} points are left"
                yield said, _failed(s, kept, bool(self._processes.nodes[s.process].asked.what))
        node = self._processes.nodes[s.process]
        if world.lossy and (s.flushed < len(s.stream) or any(age < 10 for _, age in node.seen)):
            passed = self._processes.step(s.process, Happened.TEN_SECONDS).process
            yield "ten seconds pass", s._replace(process=passed, flushed=len(s.stream))
        if world.forget and not s.forgot and s.names and not self._goes_again(s):
            yield "the server forgets the names of inserts", s._replace(forgot=True, names=())
        if s.replaced < world.replaced and not self._goes_again(s):
            said = ("that knows names", "that knows no names")[s.replaced % 2 == 0]
            yield f"the server is replaced by one {said}", s._replace(replaced=s.replaced + 1, names=())

    def _goes_again(self, s: State) -> bool:
        """Whether an insert is on its way, or about to be: a server is not exchanged between a reading and that."""
        return bool(s.late) or (self._processes.nodes[s.process].asked.what == "insert" and not s.answer)

    def _overtaken(self, s: State, batch: Batch, others: tuple[Sent, ...]) -> bool:
        """Whether something newer with the same first point is on its way, or about to be."""
        asked = self._processes.nodes[s.process].asked
        about_to_be_sent = [asked.batch] if asked.what == "insert" and s.open is None and not s.answer else []
        coming = [*(sent.batch for sent in others), *([s.open.batch] if s.open else []), *about_to_be_sent]
        (t, v) = batch[0]
        return any(c[0][1] == v and (c[0][0] > t or (c != batch and len(c) == 1)) for c in coming)


def _cut(s: State, kept: int, deleted: bool = False) -> State:
    """Return what is left when the stream keeps its first points only; a name goes with the points."""
    left = set(s.stream[:kept])
    names = tuple(name for name in s.names if set(name.batch) <= left)
    cut = "".join(v for _, v in s.stream[kept:])
    gone, lost = (s.gone + cut, s.lost) if deleted else (s.gone, s.lost + cut)
    ends = tuple(end for end in s.ends if end <= kept)
    return s._replace(
        stream=s.stream[:kept], ends=ends, flushed=min(s.flushed, kept), names=names, gone=gone, lost=lost
    )


def _failed(s: State, kept: int, unnoticed: bool) -> State:
    """
    Return what is left when the server's machine has started again: what it has is on its disk, what was on its way is gone.

    A pass that slept meanwhile may not notice, and send what is newer at once.
    """
    if not unnoticed:
        return _cut(s, kept)._replace(crashes=s.crashes + 1, flushed=kept, late=(), lost=s.lost)
    broken = _cut(s, kept)._replace(crashes=s.crashes + 1, flushed=kept, late=())
    return broken._replace(open=None, answer="broken") if s.open is not None else broken


def _disconnected(s: State) -> State:
    late = s.late if s.open is None else tuple(sorted((*s.late, s.open)))
    return s._replace(open=None, late=late)
