"""Points as the JSON text in which they are sent: encoded once, and decoded only if somebody looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import overload

from . import json_text
from .points import Datapoint


class Encoded(Sequence[Datapoint]):
    """
    A sequence of points that holds their JSON text.

    Args:
        text: A JSON array of points.
        number: How many points it has.
        is_flat: Whether none of their values is a list or an object.

    Attributes:
        text: As given.
        is_flat: As given.
    """

    def __init__(self, text: bytes, number: int, is_flat: bool) -> None:
        self.text = text
        self.is_flat = is_flat
        self._number = number

    @cached_property
    def _points(self) -> list[Datapoint]:
        points: list[Datapoint] = json_text.loads(self.text)
        return points

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, index: int) -> Datapoint: ...
    @overload
    def __getitem__(self, index: slice) -> list[Datapoint]: ...
    def __getitem__(self, index: int | slice) -> Datapoint | list[Datapoint]:
        return self._points[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._points == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self._number} points in {len(self.text)} bytes>"
