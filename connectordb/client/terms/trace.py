"""`Trace`: what became of one request, and what it cost; pure."""

from __future__ import annotations

from .judging import Fate


class Trace:
    """
    What became of one request, and what it cost.

    Attributes:
        fate: What became of it, if it got no answer.
        phase: The last phase that it reached: ``"pool"`` (waiting for a free connection), ``"resolve"`` (looking up the server's
            name), ``"connect"``, ``"tls"``, ``"write"`` or ``"read"``.
        bytes_out: Bytes of the request that the operating system took, including headers; before encryption.
        bytes_in: Bytes received of the answer; before decompression.
        first_byte: Seconds from the beginning to the first byte of the answer; 0 if none came.
        seconds: Seconds from the beginning to the end.
        reused: Whether the connection had served another request before; then it says little about the server if it breaks.
        complete: Whether all of the request was handed to the operating system; if not, no server can have acted on it.
    """

    __slots__ = ("bytes_in", "bytes_out", "complete", "fate", "first_byte", "phase", "reused", "seconds")

    def __init__(self) -> None:
        self.fate = Fate.UNSENT
        self.phase = "pool"
        self.bytes_out = 0
        self.bytes_in = 0
        self.first_byte = 0.0
        self.seconds = 0.0
        self.reused = False
        self.complete = False
