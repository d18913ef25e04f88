"""Parts of the Logger put in the place of others, as long as a search lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Patch(NamedTuple):
    """
    A part, and what is put in its place.

    Attributes:
        owner: A module or a class.
        name: Of a function, a method, or a value there.
        make: Makes another out of it.
    """

    owner: Any
    name: str
    make: Callable[[Any], Any]


@contextmanager
def patched(patches: Iterable[Patch]) -> Iterator[None]:
    """Have *patches* in place, each on top of those before."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for owner, name, make in patches:
            before.append((owner, name, vars(owner)[name]))
            setattr(owner, name, make(vars(owner)[name]))
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)
