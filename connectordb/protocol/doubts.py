"""Input that a server accepts but that is probably a mistake: times beyond the calendar, and integers that it would change."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ..exceptions import LocalProtocolError
from .points import EXACT, DatapointWarning
from .times import LATE

_EPOCH = datetime(1970, 1, 1)

#: The units in which a number that is too large for seconds may be: for each short name the unit, and how many of it a second has.
_UNITS = {"ms": ("milliseconds", 1e3), "us": ("microseconds", 1e6), "ns": ("nanoseconds", 1e9)}


def of_time(t: float) -> str:
    """Return what is doubtful about the time of a point; empty if nothing is."""
    found = of_bound("t", t)
    return found and f"{found}; once it is stored, no point with an earlier time can be"


def of_bound(name: str, t: float) -> str:
    """Return what is doubtful about a time that bounds a range; empty if nothing is. *name*: what the message calls it."""
    if not t >= LATE:
        return ""
    meant = next(
        (f"{name} (of {_day(t / scale)})" for name, scale in _UNITS.values() if t / scale < LATE), "another unit"
    )
    return f"{name}={t!r}, which is after the year 9999: expected seconds since 1970, and these may be {meant}"


def _day(t: float) -> str:
    return (_EPOCH + timedelta(seconds=t)).date().isoformat()  # not fromtimestamp: some boards have no times after 2038


def of_value(value: Any) -> str:
    """Return what is doubtful about a value: the first integer in it that a 64-bit float cannot hold; empty if there is none."""
    kind = type(value)
    if kind is float or kind is str:
        return ""
    for part in value.values() if kind is dict else value if kind is list or kind is tuple else (value,):
        kind = type(part)
        if kind is int:
            if not -EXACT <= part <= EXACT and int(float(part)) != part:
                return (
                    f"the integer {part}, which a server keeps as {float(part):.0f}: its numbers are 64-bit floats; "
                    "text keeps each digit"
                )
        elif (kind is dict or kind is list or kind is tuple) and (found := of_value(part)):
            return found
    return ""


#: Called with what is doubtful.
Tell = Callable[[str], object]


#: The registries in which `warnings` notes what it has shown: one for each line of a program.
_told: dict[tuple[str, int], dict[Any, Any]] = {}


def warn(doubt: str) -> None:
    """
    Warn, on behalf of the line that called this package.

    By default a warning is shown once for each such line, even if the texts differ, so that a program that logs for months fills
    neither its log nor its memory.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "connectordb":
        frame = frame.f_back
    file, line, module = "connectordb", 0, "connectordb"
    if frame is not None:
        file, line, module = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__", "")
    told = _told.setdefault((file, line), {})
    if len(told) > 1 and not file.startswith("<"):  # at a prompt all lines are one
        told = _told[file, line] = {"version": told.get("version"), (doubt, DatapointWarning, line): True}
    warnings.warn_explicit(doubt, DatapointWarning, file, line, module, told)


def refuse(doubt: str) -> None:
    """
    Refuse the doubtful input.

    Raises:
        LocalProtocolError: Always.
    """
    raise LocalProtocolError(f"{doubt}. If it is meant, insert_array() takes it")


def refuse_of_text(doubt: str) -> None:
    """
    Refuse likewise what was read out of text, where a time may be counted in another unit.

    Raises:
        LocalProtocolError: Always.
    """
    units = (unit for unit, (name, _) in _UNITS.items() if f"these may be {name}" in doubt)
    unit = next(units, None)
    refuse(f"{doubt}. unit={unit!r} reads it so" if unit else doubt)


def accept(doubt: str) -> None:
    """Accept the doubtful input without a word, as it comes from a server itself."""


class Once:
    """Passes on the first doubt, and no other."""

    def __init__(self, tell: Tell) -> None:
        self._tell: Tell | None = tell

    def __call__(self, doubt: str) -> None:
        """Pass on a doubt, if it is the first."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(doubt)
