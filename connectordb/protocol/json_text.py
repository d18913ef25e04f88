"""
JSON text in and out: orjson where it is installed, else the standard library, and the same results from both.

What may be written is decided here, not by the library: finite numbers, integers of at most 64 bits, text that UTF-8 can
carry, lists, tuples and dicts, at most `MAX_DEPTH` levels deep. Everything else is refused. By itself, orjson would turn NaN
into null, and encode UUIDs and dataclasses in its own way; the standard library would write ``NaN``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Hashable
from functools import lru_cache
from math import isfinite
from typing import Any

from ..exceptions import LocalProtocolError

#: The most levels of lists and objects in a value.
MAX_DEPTH = 100

#: The smallest and the largest integer that may be written.
MIN_INT, MAX_INT = -(2**63), 2**64 - 1

#: NumPy's kinds that JSON can express. Not among them are times, which would become numbers without a unit, and structured rows,
#: whose fields would lose their names.
_OF_JSON = frozenset("biufUO")


@lru_cache(maxsize=1)
def _orjson() -> Any:
    """Return orjson, imported when first used, or ``None`` where the extra "fast" is not installed."""
    try:
        import orjson
    except ImportError:
        return None
    return orjson


def checked(value: Any) -> Any:
    """
    Return *value* in Python's own types: itself if it is made of these alone, else a copy that is.

    Numbers and text of derived types (``numpy.float64``, an ``IntEnum``) become plain ones, and so do scalars and arrays of NumPy.
    Keys that are numbers, booleans or None become text, as in the standard library's ``json``.

    Raises:
        LocalProtocolError: JSON cannot carry it; the message says which part of it.
    """
    kind = type(value)
    if kind is float:
        if isfinite(value):
            return value
    elif kind is bool or value is None or (kind is int and MIN_INT <= value <= MAX_INT):
        return value
    return value if _is_plain(value, MAX_DEPTH) else _plain(value, "", MAX_DEPTH)


def _is_plain(value: Any, depth: int) -> bool:
    """Tell whether a value needs no copy: four times as fast as `_plain`, which it leaves to say what is wrong."""
    kind = type(value)
    if kind is dict:
        for key in value:
            if type(key) is not str or not (key.isascii() or is_unicode(key)):
                return False
        parts = value.values()
    elif kind is list or kind is tuple:
        parts = value
    else:
        return kind is str and (value.isascii() or is_unicode(value))
    if depth == 0:
        return False
    for part in parts:
        kind = type(part)
        if kind is float:
            if not isfinite(part):
                return False
        elif kind is str:
            if not (part.isascii() or is_unicode(part)):
                return False
        elif kind is int:
            if not MIN_INT <= part <= MAX_INT:
                return False
        elif not (kind is bool or part is None or _is_plain(part, depth - 1)):
            return False
    return True


def is_unicode(text: str) -> bool:
    """Tell whether UTF-8 can carry *text*."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: Any, at: str, depth: int) -> Any:
    where = f" at {at}" if at else ""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        if not isfinite(value):
            raise LocalProtocolError(f"{value!r}{where} is no JSON value: JSON has no NaN and no infinities")
        return float(value)
    if isinstance(value, int):
        if not MIN_INT <= value <= MAX_INT:
            raise LocalProtocolError(f"an integer{where} has more than 64 bits; a float can be larger")
        return int(value)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise LocalProtocolError(f"text{where} cannot be sent as UTF-8: {error}") from error
        return str.__str__(value)  # str() of an enum would be its name, not its value
    if isinstance(value, (dict, list, tuple)):
        if depth == 0:
            raise LocalProtocolError(f"a value nested more than {MAX_DEPTH} levels deep{where} is not accepted")
        if isinstance(value, dict):
            return _plain_object(value, at, depth)
        return [_plain(item, f"{at}[{index}]", depth - 1) for index, item in enumerate(value)]
    numpy = sys.modules.get("numpy")  # if it is not loaded, this is not one of its values
    if numpy is not None and isinstance(value, (numpy.generic, numpy.ndarray)) and value.dtype.kind in _OF_JSON:
        own = value.tolist()
        if not isinstance(own, numpy.generic):  # it still is one if Python has no such type, as for long doubles
            return _plain(own, at, depth)
    raise LocalProtocolError(
        f"{_shown(value)}{where} is no JSON value: expected a number, text, True, False, None, a list or a dict"
    )


def _plain_object(value: dict[Any, Any], at: str, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(key, tuple):
            raise LocalProtocolError(f"the key {key!r} is no text: JSON objects have text keys")
        name = _plain(key, at or "a key", 0)
        name = name if isinstance(name, str) else json.dumps(name)
        if name in plain:
            raise LocalProtocolError(f"the keys of an object are text, and two are {name!r} then")
        plain[name] = _plain(item, f"{at}[{key!r}]", depth - 1)
    return plain


def _shown(value: object) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:60] + '…'} ({type(value).__name__})"


def dumps(value: Any) -> bytes:
    """
    Return *value*, which `checked` has returned, as compact JSON text in UTF-8.

    Numbers read back as the same numbers.
    """
    orjson = _orjson()
    if orjson is not None:
        text: bytes = orjson.dumps(value)
        return text
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def loads(text: bytes | str) -> Any:
    """
    Return what JSON *text* says. Integers of more than 64 bits become floats.

    Raises:
        ValueError: It is not JSON, or a number in it is beyond a float.
    """
    orjson = _orjson()
    if orjson is not None:
        return orjson.loads(text)
    try:
        return decoder.decode(text if isinstance(text, str) else text.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _parse_int(digits: str) -> int | float:
    if len(digits) < 19:
        return int(digits)
    value = float(digits) if len(digits) > 20 else int(digits)
    return value if isinstance(value, int) and MIN_INT <= value <= MAX_INT else _parse_float(digits)


def _parse_float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"the number {text} is beyond a 64-bit float")
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


#: The standard library's decoder, with our rules for numbers.
decoder = json.JSONDecoder(parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse)


def as_stored(value: Any) -> Any:
    """
    Return *value* as a 0.3 server stores it: all numbers as 64-bit floats, tuples as lists.

    To find out whether one value is the stored copy of another, use `comparable`.
    """
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, dict):
        return {key: as_stored(item) for key, item in value.items()}
    return [as_stored(item) for item in value]


def comparable(value: Any) -> Hashable:
    """
    Return a hashable stand-in for *value*: two values have equal ones exactly if they are the same once stored.

    Unlike in Python's own comparison, and as in JSON, True is not 1.
    """
    return _hashable(as_stored(value))


def _hashable(value: Any) -> Hashable:
    if value is None or isinstance(value, (float, str)):
        return value
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, dict):
        return (dict, frozenset((key, _hashable(item)) for key, item in value.items()))
    return (list, tuple(_hashable(item) for item in value))
