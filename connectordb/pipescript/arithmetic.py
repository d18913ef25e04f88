"""
Operators: general functions for any two values, and quicker Python code with the same results for two floats.

The general functions know all conversions (``docs/topics/pipescript.rst``, "Operators"). The code that is written for a script
tries the quick way first if both values may be floats, and leaves out the general one if they certainly are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fmod, inf, isnan, nan
from typing import Any

from ..exceptions import PipeScriptError
from .limits import Limits
from .source import Source, Value
from .values import equal, number_or_none, to_number, to_truth

_Operator = Callable[[Any, Any], Any]

_NO_NUMBERS = "Failed to perform algebraic operation: couldn't convert to float."


def _adding(limits: Limits) -> _Operator:
    def add(a: Any, b: Any) -> Any:
        x, y = number_or_none(a), number_or_none(b)
        if x is not None and y is not None:
            return x + y
        if isinstance(a, str) and isinstance(b, str):
            if len(a) + len(b) > limits.string_max:
                raise PipeScriptError(f"Reached maximum string length {limits.string_max}.")
            return a + b
        raise PipeScriptError(_NO_NUMBERS)

    return add


def _of_numbers(compute: Callable[[float, float], Any], otherwise: str) -> _Operator:
    def operate(a: Any, b: Any) -> Any:
        x, y = number_or_none(a), number_or_none(b)
        if x is None or y is None:
            raise PipeScriptError(otherwise)
        return compute(x, y)

    return operate


def _arithmetic(compute: Callable[[float, float], float]) -> _Operator:
    return _of_numbers(compute, _NO_NUMBERS)


def divided(x: float, y: float) -> float:
    """Return a quotient by the rules of 64-bit floats, which allow a division by zero."""
    if y:
        return x / y
    return nan if x == 0 or isnan(x) or isnan(y) else inf if (x > 0) == (str(y)[0] != "-") else -inf


def remainder(x: float, y: float) -> float:
    """Return the remainder of a division, with the sign of the dividend."""
    try:
        return fmod(x, y)
    except ValueError:
        return nan


def power(x: float, y: float) -> float:
    """Return a power by the rules of 64-bit floats, which know infinities and NaN."""
    try:
        result = x**y
    except ZeroDivisionError:
        return -inf if str(x)[0] == "-" and y % 2 == 1 else inf
    except OverflowError:
        return -inf if x < 0 and y % 2 == 1 else inf
    return nan if isinstance(result, complex) else result


def _ordered(compare: Callable[[float, float], bool]) -> _Operator:
    return _of_numbers(compare, "Values given to comparison not numerical!")


def _both(a: Any, b: Any) -> bool:
    x, y = to_truth(a), to_truth(b)
    return x and y


def _either(a: Any, b: Any) -> bool:
    x, y = to_truth(a), to_truth(b)
    return x or y


def negated(a: Any) -> Any:
    """Return the negative of a value; of a truth value, its opposite."""
    return not a if isinstance(a, bool) else -to_number(a)


def opposite(a: Any) -> bool:
    """Return the result of ``not`` for a value."""
    return not to_truth(a)


_GENERAL: Mapping[str, _Operator] = {
    "-": _arithmetic(lambda x, y: x - y),
    "*": _arithmetic(lambda x, y: x * y),
    "/": _arithmetic(divided),
    "%": _arithmetic(remainder),
    "^": _arithmetic(power),
    "<": _ordered(lambda x, y: x < y),
    "<=": _ordered(lambda x, y: x <= y),
    ">": _ordered(lambda x, y: x > y),
    ">=": _ordered(lambda x, y: x >= y),
    "==": equal,
    "!=": lambda a, b: not equal(a, b),
    "and": _both,
    "or": _either,
}

#: Operators that are the same in Python for two floats; the others call the functions below.
_FLOATS = {sign: f"{{0}} {sign} {{1}}" for sign in ("+", "-", "*", "<", "<=", ">", ">=", "==", "!=")}
_FUNCTIONS = {"/": divided, "%": remainder, "^": power}


def operator(sign: str, limits: Limits) -> _Operator:
    """Return the function of an operator, for any two values."""
    return _adding(limits) if sign == "+" else _GENERAL[sign]


def write_binary(source: Source, sign: str, a: Value, b: Value, limits: Limits) -> Value:
    """Write an operator between two values."""
    if sign in ("and", "or"):
        if a.kind is bool and b.kind is bool:
            return source.compute(f"{{0}} {sign} {{1}}", a, b, kind=bool)
        return source.compute(f"{source.given(_GENERAL[sign])}({{0}}, {{1}})", a, b, kind=bool)
    general = f"{source.given(operator(sign, limits))}({{0}}, {{1}})"
    unknown = [place for place, value in enumerate((a, b)) if value.kind is not float]
    kind: type | None = bool if sign in ("<", "<=", ">", ">=", "==", "!=") else float
    if sign == "+" and not any(value.kind in (float, bool) for value in (a, b)):
        kind = None  # two texts may be concatenated
    if any(value.kind not in (None, float) for value in (a, b)):
        return source.compute(general, a, b, kind=kind)
    fast = _FLOATS.get(sign) or f"{source.given(_FUNCTIONS[sign])}({{0}}, {{1}})"
    rest = [place for place in unknown if (a, b)[place].name != "data"]
    of_int = _checked(fast, rest, general) if rest != unknown else ""
    return source.compute(_checked(fast, unknown, general), a, b, kind=kind, of_int=of_int)


def _checked(fast: str, unknown: Sequence[int], general: str) -> str:
    """Return the expression for two values, of which those in *unknown* may be no floats."""
    checks = " and ".join(f"{{{place}}}.__class__ is float" for place in unknown)
    return f"{fast} if {checks} else {general}" if checks else fast


def write_prefix(source: Source, sign: str, a: Value) -> Value:
    """Write ``not`` or a minus before a value."""
    if a.kind is bool:
        return source.compute("not {0}", a, kind=bool)
    if sign == "not":
        return source.compute(f"{source.given(opposite)}({{0}})", a, kind=bool)
    if a.kind is float:
        return source.compute("-{0}", a, kind=float)
    return source.compute(f"-{{0}} if {{0}}.__class__ is float else {source.given(negated)}({{0}})", a)
