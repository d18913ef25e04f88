"""What `Logger.insert` returns: a receipt, which tells what became of the point."""

from __future__ import annotations

from .rows import State, Trace, Tracing


class Receipt:
    """
    Tells what became of a point that was accepted.

    It can be used for as long as the Logger is open, from any thread.
    """

    __slots__ = ("_final", "_id", "_t", "_tracing")

    def __init__(self, tracing: Tracing, id: int, t: float) -> None:
        # no more work than this: every insert makes a receipt, and few are ever used
        self._tracing = tracing
        self._id = id
        self._t = t
        self._final: Trace | None = None

    @property
    def state(self) -> State:
        """
        What has become of the point so far.

        ``"waiting"``: it is in the file, for the next sync. ``"stored"``: the server has it. ``"set aside"``: the server does not
        take it as it is; it is kept in the file, with the reason. ``"dropped"``: by `Logger.cleardata`, or because the file is
        bounded. A stored point may wait again if an original server loses its last second; one that was set aside waits again if
        it is retried.

        Raises:
            ClosedError: The Logger was closed before the outcome was seen.
        """
        return self._look().state

    @property
    def reason(self) -> str | None:
        """Why the point was set aside; ``None`` if it was not."""
        return self._look().reason

    @property
    def t(self) -> float:
        """The point's time, in seconds since 1970. It may change while the point is in the file; afterwards, the last one seen."""
        self._look()
        return self._t

    def wait(self, timeout: float) -> State:
        """
        Wait until the point is no longer waiting, for *timeout* seconds at most, and return its state then.

        A sync in this process is noticed at once, one in another process within a second.

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
            self._id = trace.id  # next time, look from where the trail ended
            if trace.t is not None:
                self._t = trace.t
            if trace.is_final:
                self._final = trace
        return trace

    def __repr__(self) -> str:
        """Say what is known of the point, without looking."""
        return f"<Receipt t={self._t!r}{f' {self._final.state}' if self._final else ''}>"
