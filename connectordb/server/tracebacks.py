"""Letting go of what an error holds once it has been answered."""

from __future__ import annotations


def let_go(error: BaseException) -> None:
    """
    Drop the traceback of an error that was answered, and those of its causes.

    A traceback holds the frames that the error went through, and with them the request and its body; a frame holds the
    future that the error came out of, and that the error. Such a circle stays until the next full collection of garbage, which
    may be hundreds of requests away: each would hold megabytes until then.
    """
    chain: list[BaseException | None] = [error]
    while chain:
        one = chain.pop()
        if one is not None:
            chain += [one.__cause__, one.__context__]
            one.__traceback__ = one.__cause__ = one.__context__ = None
