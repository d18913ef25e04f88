"""The arguments of a range, written down once for all methods that read one."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar, overload

from ..protocol.paths import Path

S = TypeVar("S")
T = TypeVar("T")
P = ParamSpec("P")

File = str | os.PathLike[str]


class Asked(NamedTuple):
    """
    A range that somebody asks for.

    Attributes:
        path: The stream, or its downlink.
        fields: What `ranges.range_fields` made.
        script: What runs over it, or ``""``.
    """

    path: Path
    fields: dict[str, Any]
    script: str


class ranged(Generic[S, P]):
    """
    Gives methods the arguments of a range after their own: they are handed what it is, and `help` shows what it is made of.

    Args:
        ask: The method that takes these arguments, and returns the range.
    """

    def __init__(self, ask: Callable[Concatenate[S, P], Asked]) -> None:
        self._ask = ask

    @overload
    def __call__(self, method: Callable[[S, Asked], T]) -> Callable[Concatenate[S, P], T]: ...
    @overload
    def __call__(self, method: Callable[[S, File, Asked], T]) -> Callable[Concatenate[S, File, P], T]: ...
    def __call__(self, method: Callable[..., T]) -> Callable[..., T]:
        """Return *method* with these arguments in place of its last one."""
        return _Method(method, self._ask)  # type: ignore[return-value]  # what is got from the class is a function


class _Method:
    """A method that is put together when it is first asked for: what that takes is not free to load."""

    def __init__(self, method: Callable[..., Any], ask: Callable[..., Asked]) -> None:
        self._method = method
        self._ask = ask
        self._made: Callable[..., Any] | None = None

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., Any]:
        if self._made is None:
            self._made = _with_range(self._method, self._ask)
        return self._made if instance is None else MethodType(self._made, instance)


def _with_range(method: Callable[..., T], ask: Callable[..., Asked]) -> Callable[..., T]:
    from inspect import signature

    *own, _ = signature(method).parameters.values()
    _, *arguments = signature(ask).parameters.values()
    whole = signature(method).replace(parameters=[*own, *arguments])

    @wraps(method)
    def with_range(*args: Any, **kwargs: Any) -> T:
        try:
            given = whole.bind(*args, **kwargs).arguments
        except TypeError as wrong:  # which does not say of what
            raise TypeError(f"{method.__qualname__}() {wrong}") from None
        before = [given.pop(each.name) for each in own]
        return method(*before, ask(before[0], **given))

    with_range.__signature__ = whole  # type: ignore[attr-defined]
    return with_range
