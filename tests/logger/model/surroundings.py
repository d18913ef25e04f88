"""What happens to a Logger: to its requests, to the stream, to its process."""

from __future__ import annotations

from collections.abc import Iterator

from connectordb.logger import plan
from connectordb.logger.plan import Step

from .cache import Cache
from .world import Batch, State, World, at, noted, show

#: How another writer's times lie to the Logger's.
_TIMES_OF_OTHERS = (10.0, 15.0, 25.0)

#: Passes that end because the right to write is taken away; a lone point may move with each.
_DENIALS = 2


class Surroundings:
    """What may happen next, of itself."""

    def __init__(self, world: World, cache: Cache) -> None:
        self._world, self._cache = world, cache

    def steps(self, s: State) -> Iterator[tuple[str, State]]:
        """Yield each thing that may happen, in words, and what there is then."""
        yield from self._network(s)
        yield from self._process(s)
        yield from self._people(s)

    def _network(self, s: State) -> Iterator[tuple[str, State]]:
        world = self._world
        if s.open is not None:
            after, answer = self._post(s, s.open)
            yield f"the request arrives: {answer}", after._replace(open=None, answer=answer)
            if world.odd and answer == "ok":
                yield (
                    "the request arrives, is stored, and answered with an error",
                    after._replace(open=None, answer="odd"),
                )
        for n, batch in enumerate(s.late):
            rest = s.late[:n] + s.late[n + 1 :]
            after, answer = self._post(s, batch)
            if not (world.late and _overtaken(s, batch, rest)):
                yield f"a late copy of {show(batch)} arrives: {answer}", after._replace(late=rest)
            yield f"a late copy of {show(batch)} is lost", s._replace(late=rest)
        if s.answer is not None and s.answer != "broken" and s.cuts < world.cuts:
            yield "the connection breaks", _disconnected(s)._replace(cuts=s.cuts + 1, answer="broken")

    def _post(self, s: State, batch: Batch) -> tuple[State, str]:
        if s.denied == 1 and s.denials < _DENIALS:
            return s, "denied"
        if not s.mended and any(v in self._world.bad for _, v in batch):
            return s, "schema"
        if s.stream and batch[0][0] < s.stream[-1][0]:
            return s, "older"
        return s._replace(stream=s.stream + batch), "ok"

    def _process(self, s: State) -> Iterator[tuple[str, State]]:
        world = self._world
        if s.kills < world.kills and (s.doing or s.note or s.end):
            killed = self._cache.opened(_disconnected(s)._replace(kills=s.kills + 1, doing=None, end=None, answer=None))
            yield "the Logger is killed and starts again", killed
        if s.added < len(world.clock):
            after = self._cache.add(s, world.clock[s.added])
            yield f"a point is added: {show(after.rows[-1:])}", after

    def _people(self, s: State) -> Iterator[tuple[str, State]]:
        world = self._world
        if s.others < world.others:
            newest = s.stream[-1][0] if s.stream else 0.0
            for t in sorted({newest, *_TIMES_OF_OTHERS}):
                if t >= newest:
                    stored = s._replace(others=s.others + 1, stream=(*s.stream, (t, "x")))
                    yield f"another writer stores a point at {at(t)}", stored
        if world.mend and not s.mended:
            yield "the schema is mended", s._replace(mended=True)
        if world.anew and not s.anew and s.stream:
            gone = s.gone + "".join(v for _, v in s.stream)
            yield "the stream is deleted and made anew", s._replace(anew=True, stream=(), gone=gone)
        if world.deny and s.denied < 2:
            said = ("the right to write is taken away", "the right to write is given back")[s.denied]
            yield said, s._replace(denied=s.denied + 1)


def _disconnected(s: State) -> State:
    late = s.late if s.open is None else tuple(sorted((*s.late, s.open)))
    return s._replace(open=None, late=late)


def _overtaken(s: State, batch: Batch, others: tuple[Batch, ...]) -> bool:
    """Whether something newer with the same first point is on its way, or about to be."""
    coming = [*others, *([s.open] if s.open else []), *_about_to_be_sent(s)]
    (t, v) = batch[0]
    return any(c[0][1] == v and (c[0][0] > t or (c != batch and len(c) == 1)) for c in coming)


def _about_to_be_sent(s: State) -> list[Batch]:
    """Return what follows from the settling read, if that was made and what follows is not yet on its way."""
    if s.doing is None or s.answer is not None or not s.sent:
        return []
    step, rows = s.doing.step, noted(s)
    if step is Step.HALVE:
        rows = rows[: len(rows) // 2]
    if step is Step.MOVE or (step is Step.HALVE and len(rows) == 1):
        rows = ((plan.later(rows[0][0]), rows[0][1]),)
    return [rows] if step in (Step.SEND, Step.MOVE, Step.HALVE) else []
