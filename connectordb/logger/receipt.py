"""What `Logger.insert` answers: a receipt that can be asked what became of the point, or waited for."""

from __future__ import annotations

from .rows import State, Trace, Tracing


class Receipt:
    """
    A point that was accepted.

    It holds for as long as the Logger is open, and may be asked from any thread.
    """

    __slots__ = ("_final", "_id", "_t", "_tracing")

    def __init__(self, tracing: Tracing, id: int, t: float) -> None:
        # nothing more here: every insert makes one, and few are asked
        self._tracing = tracing
        self._id = id
        self._t = t
        self._final: Trace | None = None

    @property
    def state(self) -> State:
        """
        What became of it by now.

        ``"waiting"``: it is in the file, for the next sync. ``"stored"``: the server has it. ``"set aside"``: it cannot be
        stored as it is, and lies in the file with the reason. ``"dropped"``: by `Logger.cleardata`, or as the file is bounded.
        A server that loses its last second may make one wait again that was stored, until that is certain; one that was set
        aside waits again if it is retried.

        Raises:
            ClosedError: The Logger was closed before the outcome was seen.
        """
        return self._look().state

    @property
    def reason(self) -> str | None:
        """Why it was set aside; ``None`` if it was not."""
        return self._look().reason

    @property
    def t(self) -> float:
        """Its time, in seconds since 1970: the present one while it is in the file, afterwards the last that was seen."""
        self._look()
        return self._t

    def wait(self, timeout: float) -> State:
        """
        Wait until it does not wait any more, *timeout* seconds at most, and return its state then.

        A sync in this process wakes at once; one in another process is noticed within a second.

        Raises:
            ClosedError: The Logger was closed.
        """
        state = self.state
        if state == "waiting":
            self._tracing.wait(lambda: self.state != "waiting", timeout)
            state = self.state
        return state

    def _look(self) -> Trace:
        trace = self._final
        if trace is None:
            trace = self._tracing.look(self._id)
            self._id = trace.id  # one way that was gone need not be gone again
            if trace.t is not None:
                self._t = trace.t
            if trace.is_final:
                self._final = trace
        return trace

    def __repr__(self) -> str:
        """Say what was last seen of it, without looking."""
        return f"<Receipt t={self._t!r}{f' {self._final.state}' if self._final else ''}>"
