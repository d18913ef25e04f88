"""
Subscriptions with one rule taken out: each loses, doubles or hides something, and the harness has to see it.

``python -m tests.live_faults --broken`` runs each against the kind that must find it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Variant:
    """
    A way to break subscriptions.

    Attributes:
        patch: Returns what does it, as long as it is entered.
        kind: The kind of faults that must find it.
        symptoms: Words of which one must be among what is found.
        announced: Whether clients learn what our server can do; where one rule covers for another, only one of the two is asked.
    """

    patch: Callable[[], Any]
    kind: str
    symptoms: tuple[str, ...]
    announced: bool = True


VARIANTS: dict[str, Variant] = {}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Take a rule out, for the length of a block; none if there is no name."""
    if not name:
        yield
        return
    with VARIANTS[name].patch():
        yield
