"""The decisions, in one place, so that a rule can be taken out of them."""

from __future__ import annotations

from connectordb.exceptions import ConnectorDBError
from connectordb.logger import plan
from connectordb.logger.plan import Answer, Attempt, Batch, Step

from .cache import Cache
from .world import State


class Deciders:
    """Those of `connectordb.logger.plan`, and below them those that `sending`, `sync`, `reading` and `store` take themselves."""

    def judge(self, error: ConnectorDBError | None) -> Answer:
        """As `plan.judge`."""
        return plan.judge(error)

    def found(self, batch: Batch, unknown: int) -> tuple[Step, Attempt]:
        """As `plan.found`."""
        return plan.found(batch, unknown)

    def answered(self, batch: Batch, attempt: Attempt, answer: Answer) -> tuple[Step, Attempt]:
        """As `plan.answered`."""
        return plan.answered(batch, attempt, answer)

    def waited(self, attempt: Attempt) -> tuple[Step, Attempt]:
        """As `plan.waited`."""
        return plan.waited(attempt)

    def looked(self, batch: Batch, attempt: Attempt, any_found: bool, newest: float) -> tuple[Step, Attempt]:
        """As `plan.looked`."""
        return plan.looked(batch, attempt, any_found, newest)

    # --- what is decided elsewhere --------------------------------------------------------------------------------------

    def least(self, waiting: int) -> int:
        """Return of how many rows a batch is at least: `sync.Pass._serve`, with rows that came after the pass began."""
        return 1

    def halved(self, left: int) -> Step:
        """Return what is done with a half: `sending.Sending.run`."""
        return Step.MOVE if left == 1 else Step.SEND

    def anchored(self, s: State) -> tuple[int, float | None]:
        """Return from where on `reading.read_from` is to read: behind which length, and which point."""
        assert s.note is not None
        return s.note.length, s.note.before

    #: Whether the wait begins when the server has answered another request: `sending.Context.wait`.
    waits_for_an_answer = True

    def confirm(self, cache: Cache, s: State, ids: str) -> State:
        """Take rows off: `sending.Context.confirm`."""
        return cache.resolve(s, ids)
