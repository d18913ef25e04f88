"""Conversions between the values of points, as the language has them (``docs/topics/wire.rst``, "Columns", has what datasets do with them)."""

from __future__ import annotations

import re
from math import isinf
from reprlib import Repr
from typing import Any

from ..exceptions import PipeScriptError

#: What counts as white space around a number; str.strip would also remove U+001C to U+001F.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

#: Numbers as texts. What float() takes beyond these (underscores, other digits) is no number here.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SPECIAL = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE | re.ASCII)

#: Shows a value in a message without going through all of it.
_SHORT = Repr()
_SHORT.maxlevel = 2


def number_in(text: str) -> float | None:
    """Return the number that *text* is, white space around it aside; `None` if it is none, or beyond a 64-bit float."""
    text = text.strip(_SPACE)
    if _DECIMAL.fullmatch(text):
        value = float(text)
        return None if isinf(value) else value
    return float(text) if _SPECIAL.fullmatch(text) else None


def to_number(value: Any) -> float:
    """
    Return *value* as a number: null is 0, truth values are 0 and 1, texts that are numbers count as such.

    Raises:
        PipeScriptError: It is none.
    """
    kind = type(value)
    if kind is float:
        return float(value)
    if kind is int or kind is bool:
        return float(value)
    if value is None:
        return 0.0
    if kind is str:
        number = {"true": 1.0, "false": 0.0}.get(value)
        number = number_in(value) if number is None else number
        if number is not None:
            return number
    raise PipeScriptError(f"Could not convert {shown(value)} to Float")


def shown(value: Any) -> str:
    """Return a value for a message."""
    return f"'{_SHORT.repr(value)[1:-1]}'" if isinstance(value, str) else f"'{_SHORT.repr(value)}'"
