"""
Checking that a server still has what it confirmed.

The original server says ``ok`` before it flushes, and loses about its last second if its machine loses power
(``docs/topics/wire.rst``, "Durability"). So the file holds a batch that such a server confirmed until the batch was seen there
again, some seconds later. This is checked before anything newer is sent, as what was lost has to go first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import pairwise

from ...exceptions import ConnectorDBError
from ...protocol.paths import Path
from ...protocol.settle import Outcome, Sent, Settling, settle
from ...runtime.clock import Clock
from ..records import Held
from ..rows import Store
from . import plan
from .reading import Reading, Server, is_ephemeral, point_at
from .sending import value

log = logging.getLogger(__name__)

#: When this process first saw a held batch: stream, first id, version → monotonic seconds.
Seen = dict[tuple[int, int, int], float]


class LastSecond:
    """
    Looks after the batches that are held.

    Args:
        store: The file.
        clock: The clocks.
        elsewhere: Returns a connection to another server, or with another key: those that a batch was confirmed to.
        wait: Waits until what was sent on closed connections has arrived, or never will.
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

    def see(self, stream: int) -> None:
        """Begin to count the seconds for batches that this pass confirmed."""
        self._since(stream, self._store.held.of(stream), self._clock.monotonic())

    def _since(self, stream: int, batches: Sequence[Held], now: float) -> list[float]:
        """Return since when each of *batches* has been known, *now* if it was not; forget all others of the stream."""
        keys = [(batch.stream, batch.first, batch.version) for batch in batches]
        since = [self._seen.get(key, now) for key in keys]
        for key in [key for key in self._seen if key[0] == stream]:
            del self._seen[key]
        self._seen.update(zip(keys, since, strict=True))
        return since

    def check(self, stream: int, server: Server) -> int:
        """
        Check a stream's held batches: release those that are there and old enough; what is lost waits again.

        Returns:
            How many points wait again.

        Raises:
            ConnectorDBError: They were confirmed by the Logger's present server, and it cannot be asked.
        """
        batches = self._store.held.of(stream)
        asked = self._clock.monotonic()
        lost = self._lost(batches, server)
        if lost:
            where, path = self._where(batches[-1], server), Path.parse(batches[-1].path)
            if is_ephemeral(where, path):
                for batch in batches:
                    self._store.held.release(batch)
                return 0
            # by now newer ones may be lost as well, or a late copy may have arrived
            self._wait(where, path)
            lost = self._lost(batches, server, every=True)
        if lost:
            log.warning("%s lost %d points that it had confirmed; they go again", batches[-1].path, len(lost))
            self._store.held.lose(stream, lost)
            self._since(stream, (), asked)
            return len(lost)
        self._release(stream, batches, asked)
        return 0

    def _release(self, stream: int, batches: Sequence[Held], asked: float) -> None:
        """Release batches that were found at the time *asked*, if they were old enough then."""
        for batch, since in zip(batches, self._since(stream, batches, asked), strict=True):
            if asked - since >= plan.WAIT:
                self._store.held.release(batch)

    def _lost(self, batches: Sequence[Held], server: Server, every: bool = False) -> list[int]:
        """
        Return the ids of rows that the server no longer has.

        A server that loses something loses the newest, so this goes backwards, and stops at the first batch that is whole and
        where it should be; unless *every* batch is to be looked for.
        """
        lost: list[int] = []
        every = every or not self._are_in_a_row(batches)
        for at in reversed(range(len(batches))):
            batch = batches[at]
            try:
                where = self._where(batch, server)
                missing = self._missing(where, batch)
                is_end = not missing and not every and at > 0 and self._follows(where, batch, batches[at - 1])
            except ConnectorDBError as error:
                if batch.server == server.address and not plan.is_final(error):
                    raise
                log.info("what %s confirmed of %s cannot be looked at again: %s", batch.server, batch.path, error)
                break
            if is_end:
                break
            lost[:0] = missing
        return lost

    def _are_in_a_row(self, batches: Sequence[Held]) -> bool:
        """Tell whether each batch was stored just behind the one before it; after a loss that was noticed too late, it was not."""
        for one, two in pairwise(batches):
            (end,) = self._store.points.rows(one.last, one.last, 1, 0)
            if one.length + one.last - one.first + 1 != two.length or end.t != two.before:
                return False
        return True

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
        settling = Settling(sent)  # not at its index: another writer's points may lie in between
        for points in Reading(server, path, batch, rows[0].t):
            settling.look(points)
            if settling.complete:
                break
        found = set(settling.result().found)
        return [row.id for at, row in enumerate(rows) if at not in found]

    def _follows(self, server: Server, batch: Held, before: Held) -> bool:
        """Tell whether the last point of the batch *before* still stands just before *batch*."""
        point = point_at(server, Path.parse(batch.path), batch.length - 1)
        ends = [Sent((row.t,), value(row)) for row in self._store.points.rows(before.last, before.last, 1, 0)]
        return settle(ends, [] if point is None else [point]).outcome is Outcome.STORED
