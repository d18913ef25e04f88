"""What a program that was stopped remembers, as a value: two that remember the same go on in the same way."""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from types import FrameType, TracebackType
from typing import Any

#: Whose memory counts: the package's, and that of what is put in place of parts of it.
_ROOMS = ("connectordb.", f"{__package__}.rules")

#: What is not memory: the file and the wire, which are looked at for themselves, as is what is held; what was done, which
#: decides nothing.
_PASSED_OVER = {"Cache", "Wire", "Hands", "Event", "Report", "Memory", "LastSecond"}

#: Names of what is only measured.
_MEASURED = {"began", "took"}


def fingerprint(traceback: TracebackType | None) -> Hashable:
    """Return what all functions of the package that were being run remember, and where in them it was stopped."""
    known: dict[int, int] = {}
    return tuple((frame.f_code, frame.f_lasti, _memory(frame, known)) for frame in _frames(traceback))


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals["__name__"].startswith(_ROOMS):
            yield frame
        traceback = traceback.tb_next


def _memory(frame: FrameType, known: dict[int, int]) -> Hashable:
    return tuple([(name, _frozen(value, known)) for name, value in frame.f_locals.items() if name not in _MEASURED])


def _frozen(value: Any, known: dict[int, int]) -> Hashable:
    kind = type(value)
    if kind in _PLAIN:
        return value  # type: ignore[no-any-return]
    if id(value) in known:  # said before; which one it was
        return known[id(value)]
    if kind is list or isinstance(value, tuple):
        return tuple([_frozen(item, known) for item in value])
    if kind is dict:
        return tuple([(_frozen(key, known), _frozen(item, known)) for key, item in value.items()])
    if kind is set:
        return frozenset([_frozen(item, known) for item in value])
    known[id(value)] = len(known)
    if isinstance(value, BaseException):
        return (kind, str(value))
    if isinstance(value, enum.Enum) or kind is range:
        return value  # type: ignore[no-any-return]
    parts = _PARTS.get(kind)
    if parts is None:
        parts = _PARTS[kind] = _parts(kind)
    return (kind, *[_frozen(getattr(value, part, None), known) for part in parts(value)])


_PLAIN = {type(None), int, float, str, bytes, bool}
_PARTS: dict[type, Callable[[Any], Iterable[str]]] = {}


def _parts(kind: type) -> Callable[[Any], Iterable[str]]:
    """Return what says of which attributes an object's memory consists."""
    if kind.__name__ in _PASSED_OVER or not kind.__module__.startswith(_ROOMS):
        return lambda value: ()
    if is_dataclass(kind):
        names = tuple(field.name for field in fields(kind))
        return lambda value: names
    if hasattr(kind, "__slots__"):
        return lambda value: kind.__slots__
    return lambda value: vars(value)
