"""Freeing the memory that an error holds on to, once it has been answered."""

from __future__ import annotations


def let_go(error: BaseException) -> None:
    """
    Drop the traceback of an error that was answered, and those of its causes.

    A traceback refers to the frames that the error went through, and so to the request and its body. One of these frames refers to
    the future that raised the error, which refers to the error: a reference cycle. It would stay in memory, with megabytes, until
    the next full garbage collection, which may be hundreds of requests away.
    """
    chain: list[BaseException | None] = [error]
    while chain:
        one = chain.pop()
        if one is not None:
            chain += [one.__cause__, one.__context__]
            one.__traceback__ = one.__cause__ = one.__context__ = None
