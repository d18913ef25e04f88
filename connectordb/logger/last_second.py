"""
Looking whether a server still has what it confirmed.

The original server says ``ok`` before it flushes, and loses about its last second when its machine does
(``docs/topics/wire.rst``, "Durability"). So a batch that such a server confirmed is looked for again, some
seconds later, before the file lets go of it; and before anything newer is sent, as what was lost must go first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ..exceptions import ConnectorDBError
from ..protocol.paths import Path
from ..protocol.settle import Sent, Settling
from ..runtime.clock import Clock
from . import plan
from .reading import Reading, Server, point_at
from .records import Held
from .sending import value
from .store import Store

log = logging.getLogger(__name__)

#: When this process first saw a held batch: stream and first id → monotonic seconds.
Seen = dict[tuple[int, int], float]


class LastSecond:
    """
    Looks after the batches that are held.

    Args:
        store: The file.
        clock: The clocks.
        elsewhere: Makes a connection to another server, or with another key: that which confirmed a batch.
        wait: Waits until what was sent on connections that are closed has arrived, or never will.
        seen: Kept from pass to pass.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        elsewhere: Callable[[str, str], Server],
        wait: Callable[[Server, Path], None],
        seen: Seen,
    ) -> None:
        self._store, self._clock, self._elsewhere, self._wait, self._seen = store, clock, elsewhere, wait, seen

    def confirmed(self, stream: int, first: int) -> None:
        """Begin to count the seconds of a batch that was just confirmed."""
        self._seen[stream, first] = self._clock.monotonic()

    def check(self, stream: int, server: Server) -> int:
        """
        Look after a stream's held batches: release those that are there and old enough, let wait again what is lost.

        Returns:
            How many points wait again.

        Raises:
            ConnectorDBError: The server that confirmed them is the Logger's, and cannot be asked.
        """
        batches = self._store.held.of(stream)
        asked = self._clock.monotonic()
        lost = self._lost(batches, server)
        if lost:
            # newer ones may be lost by now as well, and a late copy be there
            self._wait(self._where(batches[-1], server), Path.parse(batches[-1].path))
            lost = self._lost(batches, server, every=True)
        if lost:
            log.warning("%s lost %d points that it had confirmed; they go again", batches[-1].path, len(lost))
            self._store.held.lose(stream, lost)
            for batch in batches:
                self._seen.pop((stream, batch.first), None)
            return len(lost)
        self._release(batches, asked)
        return 0

    def _release(self, batches: Sequence[Held], asked: float) -> None:
        """Let go of batches that were there when they were *asked* for, and old enough then."""
        for batch in batches:
            seen = batch.stream, batch.first
            if asked - self._seen.setdefault(seen, asked) >= plan.WAIT:
                self._store.held.release(batch)
                del self._seen[seen]

    def _lost(self, batches: Sequence[Held], server: Server, every: bool = False) -> list[int]:
        """Return the ids of rows that are no longer there; *every*: look for all, and not only for the newest that tell."""
        lost: list[int] = []
        for at in range(len(batches) - 1, -1, -1):
            batch = batches[at]
            try:
                where = self._where(batch, server)
                missing = self._missing(where, batch)
                is_end = not missing and not every and at > 0 and _follows(where, batches[at - 1], batch)
            except ConnectorDBError as error:
                if batch.server == server.address and not plan.is_final(error):
                    raise
                log.info("what %s confirmed of %s cannot be looked at again: %s", batch.server, batch.path, error)
                break
            if is_end:
                break  # a server that loses its end loses the newest
            lost[:0] = missing
        return lost

    def _where(self, batch: Held, server: Server) -> Server:
        here = (batch.server, batch.apikey) == (server.address, server.apikey)
        return server if here else self._elsewhere(batch.server, batch.apikey)

    def _missing(self, server: Server, batch: Held) -> list[int]:
        """Return the ids of those rows of *batch* that are not on the server."""
        path = Path.parse(batch.path)
        rows = self._store.points.rows(batch.first, batch.last, 2**62, 2**62)
        sent = [Sent((row.t,), value(row)) for row in rows]
        if not sent:
            return []
        newest = Settling(sent[-1:])
        point = point_at(server, path, batch.length + len(rows) - 1)
        newest.look([] if point is None else [point])
        if newest.complete:
            return []
        settling = Settling(sent)  # another writer's points may lie between
        for points in Reading(server, path, batch, rows[0].t):
            settling.look(points)
            if settling.complete:
                break
        found = set(settling.result().found)
        return [row.id for at, row in enumerate(rows) if at not in found]


def _follows(server: Server, before: Held, batch: Held) -> bool:
    """Tell whether a batch stands just behind the one *before*: one that came after a loss says nothing of what was lost."""
    if before.length + before.last - before.first + 1 != batch.length:
        return False
    point = point_at(server, Path.parse(batch.path), batch.length - 1)
    return point is not None and point["t"] == batch.before
