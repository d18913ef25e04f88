"""
jsonschema's validator, made to read schemas as a 0.3 server does, and to end in bounded time.

Whoever checks values against a schema need not trust its author. So regular expressions run by a function that is passed in,
steps along references are counted and their depth is limited, ``uniqueItems`` does not compare every item with every other, and
before each keyword the validator checks whether it has time left.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

#: Looks for a regular expression in a text, as ``re.search`` does. A server passes one that cannot run for ever.
Search = Callable[[str, str], object]

#: How many times checking one value may follow a ``$ref``: about a second's worth. Thirty definitions that each refer twice to the
#: next one are quickly written, and take 2³⁰ steps.
MOST_STEPS = 20_000


def nested_too_deeply() -> Exception:
    """Return the error for a schema that is nested too deeply to be checked by recursion."""
    return schema_error("the schema is nested too deeply", None)


def schema_error(message: str, at: Any) -> Exception:
    """Return a ``jsonschema.SchemaError``, *at* being the part of the schema that is wrong."""
    from jsonschema import SchemaError

    return SchemaError(message, instance=at)


def precise_validator(document: Any, search: Search) -> Validator:
    """
    Check a schema; return a validator that reads it as the server does.

    Raises:
        jsonschema.SchemaError: It is no valid schema, or its references lead in a circle.
    """
    from jsonschema import Draft7Validator, SchemaError
    from jsonschema.validators import extend

    kind: Any = extend(Draft7Validator, _keywords(search))  # type: ignore[no-untyped-call]
    try:
        kind.check_schema(document, format_checker=_no_formats())  # patterns are looked at below
        _check_inside(document, document, search)
    except RecursionError as error:
        raise nested_too_deeply() from error
    validator: Validator = kind(document, format_checker=_formats(search))
    try:
        with counted_steps():
            validator.is_valid(None)
    except (TooManySteps, RecursionError) as error:
        raise SchemaError(
            f"a $ref in the schema leads back to itself, or it takes more than {MOST_STEPS} of them to check a mere null"
        ) from error
    return validator


class TooManySteps(Exception):
    """Checking a value takes too many steps, leads too deep, or takes longer than it may."""


def _is_deep() -> bool:
    """Tell whether most of the stack is used: at its end, the library that resolves references panics instead of raising."""
    try:
        sys._getframe(sys.getrecursionlimit() * 3 // 4)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class _Steps:
    left: int
    is_late: Callable[[], bool]

    def look(self) -> None:
        if self.is_late():
            raise TooManySteps


#: The steps of the check that is under way; each thread has its own.
_steps: ContextVar[_Steps] = ContextVar("steps")


@contextmanager
def counted_steps(is_late: Callable[[], bool] | None = None) -> Iterator[None]:
    """Let the block follow `MOST_STEPS` references at most, and go on only until *is_late* says that time is up."""
    before = _steps.set(_Steps(MOST_STEPS, is_late or (lambda: False)))
    try:
        yield
    finally:
        _steps.reset(before)


def _check_inside(node: Any, document: Any, search: Search) -> None:
    """Refuse what the meta-schema cannot see: references that lead nowhere, patterns that do not compile."""
    if isinstance(node, list):
        for item in node:
            _check_inside(item, document, search)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("enum", "const", "default", "examples"):
            continue
        if key == "$ref" and isinstance(value, str):
            _follow(value, document)
        for pattern in [value] if key == "pattern" else value if key == "patternProperties" else ():
            if isinstance(pattern, str):
                try:
                    search(pattern, "")
                except Exception as error:  # as in `_compiles`
                    raise schema_error(f"{pattern!r} is no regular expression: {error}", node) from error
        _check_inside(value, document, search)


def _follow(reference: str, document: Any) -> None:
    at = document
    for part in reference[1:].split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        try:
            at = at[int(part)] if isinstance(at, list) else at[part]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise schema_error(f"$ref {reference!r} leads nowhere", document) from error


def _keywords(search: Search) -> dict[str, Any]:
    """Return all keywords of draft 7, with those replaced that run regular expressions or could take for ever."""
    from jsonschema import Draft7Validator, ValidationError

    def pattern(validator: Any, wanted: str, value: Any, where: Any) -> Any:
        if isinstance(value, str) and not search(wanted, value):
            yield ValidationError(f"{value!r} does not match {wanted!r}")

    def pattern_properties(validator: Any, patterns: dict[str, Any], value: Any, where: Any) -> Any:
        if isinstance(value, dict):
            for wanted, inner in patterns.items():
                _steps.get().look()
                for name in value:
                    if search(wanted, name):
                        yield from validator.descend(value[name], inner, path=name, schema_path=wanted)

    def additional_properties(validator: Any, inner: Any, value: Any, where: Any) -> Any:
        if not isinstance(value, dict):
            return
        named, patterns = where.get("properties", {}), where.get("patternProperties", {})
        for name in value:
            _steps.get().look()
            if name not in named and not any(search(wanted, name) for wanted in patterns):
                if inner is False:
                    yield ValidationError(f"the property {name!r} is not allowed")
                else:
                    yield from validator.descend(value[name], inner, path=name)

    follow = Draft7Validator.VALIDATORS["$ref"]

    def ref(validator: Any, reference: str, value: Any, where: Any) -> Any:
        steps = _steps.get()
        steps.left -= 1
        if steps.left < 0 or _is_deep():
            raise TooManySteps
        yield from follow(validator, reference, value, where)

    def unique_items(validator: Any, wanted: bool, value: Any, where: Any) -> Any:
        # jsonschema compares every item with every other
        if wanted and isinstance(value, (list, tuple)) and len(set(map(_hashable, value))) < len(value):
            yield ValidationError("an item occurs twice")

    own = {
        "$ref": ref,
        "uniqueItems": unique_items,
        "pattern": pattern,
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
    }
    return {name: _timed(keyword) for name, keyword in {**Draft7Validator.VALIDATORS, **own}.items()}


def _timed(keyword: Callable[..., Any]) -> Callable[..., Any]:
    """Return the check of a keyword, preceded by a look at whether time is up."""

    def look(validator: Any, wanted: Any, value: Any, where: Any) -> Any:
        _steps.get().look()
        return keyword(validator, wanted, value, where)

    return look


def _hashable(value: Any) -> Hashable:
    """Return something hashable that is equal for equal JSON values and for no others: True is not 1, but 1.0 is."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, dict):
        return (dict, frozenset((key, _hashable(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return (list, tuple(map(_hashable, value)))
    hashable: Hashable = value
    return hashable


def _formats(search: Search) -> Any:
    """Return a checker of the formats that are enforced. As on the server, a number fits none of them."""
    checker = _no_formats()
    for name, fits in {**_FORMATS, "regex": lambda text: _compiles(text, search)}.items():
        checker.checks(name)(_text_only(fits))
    return checker


def _no_formats() -> Any:
    from jsonschema import FormatChecker

    return FormatChecker(formats=())


def _compiles(pattern: str, search: Search) -> bool:
    try:
        search(pattern, "")
    except Exception:  # re.error, or that of the server's library
        return False
    return True


def _text_only(fits: Callable[[str], bool]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if isinstance(value, str):
            return fits(value)
        return isinstance(value, bool) or not isinstance(value, (int, float))

    return check


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


_DATE, _CLOCK = r"(\d{4}-\d\d-\d\d)", r"(\d\d?:\d\d:\d\d)([.,]\d+)?"
_DATE_TIME = re.compile(rf"{_DATE}|{_CLOCK}(Z|[+-]\d\d:\d\d)?|{_DATE}T{_CLOCK}(Z|[+-]\d\d:\d\d)", re.ASCII)


def _date_time(text: str) -> bool:
    """Tell whether a text is a date and a time with its zone, or only a date or a time: the server takes these too."""
    shape = _DATE_TIME.fullmatch(text)
    if shape is None:
        return False
    day, clock = shape[1] or shape[5] or "2000-01-01", shape[2] or shape[6] or "00:00:00"
    return _parses(datetime.fromisoformat)(f"{day}T{clock:0>8}")


def _uri_reference(text: str) -> bool:
    if re.search(r"[\x00-\x1f\x7f]|%(?![0-9a-fA-F]{2})", text):
        return False
    return _URI.match(text) is not None or ":" not in re.split("[/?#]", text, maxsplit=1)[0]


_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\x00-\x1f\x7f]*")

#: All formats that a 0.3 server knows, except for ``regex``. It knows no ``date``, for example, and accepts anything there.
_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _date_time,
    "email": lambda text: re.fullmatch(r"[^@\s]+@[^@\s]+", text) is not None,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": lambda text: "%" not in text and _parses(ipaddress.IPv6Address)(text),
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "uri-reference": _uri_reference,
    "uuid": lambda text: re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None,
    "hostname": lambda text: re.fullmatch(r"(?!-)[a-zA-Z0-9-]{1,63}(\.(?!-)[a-zA-Z0-9-]{1,63})*\.?", text) is not None,
}
