"""What became of one request, and what it cost; pure."""

from __future__ import annotations

from .judging import Fate


class Trace:
    """
    What became of one request, and what it cost.

    Attributes:
        fate: What is known of it where it got no answer.
        phase: What it was at last: ``"pool"`` (waiting for a connection to be free), ``"resolve"`` (looking up the server's name),
            ``"connect"``, ``"tls"``, ``"write"`` or ``"read"``.
        bytes_out: Bytes of it that the operating system took, headers included; before encryption.
        bytes_in: Bytes of the answer that came; before decompression.
        first_byte: Seconds from the beginning to the first byte of the answer; 0 if none came.
        seconds: Seconds from the beginning to the end.
        reused: The connection had served another request before: that it broke says little about the server.
        complete: All of it was handed to the operating system. No server can have acted on one that was not.
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
