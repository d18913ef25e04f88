"""
The language's values and their conversions (``docs/topics/pipescript.rst``, "Conversions").

Numbers are floats, however JSON was decoded. Some transforms count with `int`, and one computes with `Single`. These are types of
their own, and that makes a difference when a number becomes a text, and inside lists and objects.
"""

from __future__ import annotations

import re
from math import isinf, isnan
from reprlib import Repr
from struct import pack, unpack
from typing import Any

from ..exceptions import PipeScriptError

#: White space around a number. str.strip() by itself would also remove U+001C to U+001F.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

#: Numbers as texts. float() would also take others (with underscores, or other digits), which are no numbers here.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SPECIAL = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE | re.ASCII)

#: Shows a value in a message without going through all of it.
_SHORT = Repr()
_SHORT.maxlevel = 2


class Single(float):
    """A 32-bit float."""

    @classmethod
    def of(cls, value: float) -> Single:
        """Return the nearest 32-bit float."""
        return cls(unpack("<f", pack("<f", value))[0])

    def shortest(self) -> float:
        """Return the number with the fewest digits that is the same as a 32-bit float."""
        for digits in range(1, 10):
            candidate = float(f"{self:.{digits}g}")
            if Single.of(candidate) == self:
                return candidate
        return float(self)


def doubles(value: Any, levels: int) -> Any:
    """
    Return a value from outside with all its numbers as floats.

    Raises:
        PipeScriptError: It is nested more than *levels* deep, or a number is too large for a float.
    """
    kind = type(value)
    if kind is int:
        try:
            return float(value)
        except OverflowError as error:
            raise PipeScriptError(f"{shown(value)} is more than a float can be") from error
    if kind is list or kind is tuple or kind is dict:
        if not levels:
            raise PipeScriptError("the data is nested too deep")
        if kind is dict:
            return {key: doubles(item, levels - 1) for key, item in value.items()}
        return [doubles(item, levels - 1) for item in value]
    return value


def widened(value: Any) -> Any:
    """Return a value with all 32-bit floats in it replaced by 64-bit ones that are written the same."""
    if isinstance(value, Single):
        return value.shortest()
    if isinstance(value, list):
        return [widened(item) for item in value]
    if isinstance(value, dict):
        return {key: widened(item) for key, item in value.items()}
    return value


def number_in(text: str) -> float | None:
    """Return the number in *text*, which may have white space around it; `None` if it is none, or too large for a 64-bit float."""
    text = text.strip(SPACE)
    if _DECIMAL.fullmatch(text):
        value = float(text)
        return None if isinf(value) else value
    return float(text) if _SPECIAL.fullmatch(text) else None


def number_or_none(value: Any) -> float | None:
    """Return *value* as a number; `None` if it is none. Null is 0, truth values are 0 and 1, and texts may be numbers."""
    if isinstance(value, (int, float)):  # also truth values
        return float(value)
    if value is None:
        return 0.0
    if isinstance(value, str):
        return {"true": 1.0, "false": 0.0}[value] if value in ("true", "false") else number_in(value)
    return None


def to_number(value: Any) -> float:
    """
    Return *value* as a number.

    Raises:
        PipeScriptError: It cannot be converted.
    """
    number = number_or_none(value)
    if number is None:
        raise PipeScriptError(f"Could not convert {shown(value)} to Float")
    return number


def to_integer(value: Any) -> int:
    """
    Return *value* as an integer.

    Raises:
        PipeScriptError: It cannot be converted.
    """
    number = number_or_none(value)
    if number is None or not number.is_integer():
        raise PipeScriptError(f"Could not convert {shown(value)} to Int")
    return int(number)


def to_truth(value: Any) -> bool:
    """
    Return *value* as a truth value. True are numbers above 0, texts of such numbers, and "true".

    Raises:
        PipeScriptError: It cannot be converted.
    """
    if isinstance(value, (bool, int, float)):
        return value > 0
    if value is None or value in ("", "false"):
        return False
    if value == "true":
        return True
    number = number_in(value) if isinstance(value, str) else None
    if number is None:
        raise PipeScriptError(f"Could not convert {shown(value)} to Bool")
    return number > 0


def to_text(value: Any) -> str:
    """
    Return *value* as a text.

    Raises:
        PipeScriptError: It is a list or an object.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return text_of(value)
    raise PipeScriptError(f"Could not convert {shown(value)} to String")


def text_of(value: float) -> str:
    """Return the text of a number: with at most six digits before the point, else with an exponent."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    shortest = repr(float(value))
    exponent = _exponent(shortest)
    if value == 0 or -4 <= exponent < 6:
        return shortest.removesuffix(".0")
    digits = shortest.lstrip("-").partition("e")[0].replace(".", "").strip("0")
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{'-' * (value < 0)}{digits[0]}{fraction}e{exponent:+03d}"


def _exponent(shortest: str) -> int:
    """Return the power of ten of a number's first digit, given the number as Python writes it."""
    digits, _, power = shortest.lstrip("-").partition("e")
    whole, _, fraction = digits.partition(".")
    if whole.strip("0"):
        return len(whole.lstrip("0")) - 1 + int(power or 0)
    return -(len(fraction) - len(fraction.lstrip("0")) + 1) + int(power or 0)


def identical(a: Any, b: Any) -> bool:
    """Tell whether two values have the same types and the same content, at all levels."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(identical(item, b[key]) for key, item in a.items())
    return bool(a == b)


def equal(a: Any, b: Any) -> bool:
    """Tell whether ``==`` is true for two values. It also compares numbers with texts that are numbers, and never fails."""
    if identical(a, b):
        return True
    if (type(a) is type(b) and not isinstance(a, str)) or a is None or b is None:
        return False
    x, y = number_or_none(a), number_or_none(b)
    if x is None or y is None:
        return False
    return x == y or (isnan(x) and isnan(y))


def shown(value: Any) -> str:
    """Return a value for a message."""
    if isinstance(value, str):
        return f"'{_SHORT.repr(value)[1:-1]}'"
    return f"'{text_of(value) if isinstance(value, float) else _SHORT.repr(value)}'"
