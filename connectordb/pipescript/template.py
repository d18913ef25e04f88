"""
`pipe`: putting values into scripts so that each means only itself, whatever it contains.

A value is written as a literal, and then looked for among the tokens of the result. If it is not there as a whole, because it
ended up in quotes or after something that ends the script, it is refused.
"""

from __future__ import annotations

import operator
import re
from datetime import date, timedelta
from decimal import Decimal
from math import copysign, isfinite
from numbers import Real
from typing import Any, NamedTuple

from ..exceptions import PipeScriptError
from .lexer import Kind, quoted, tokens
from .parser import parse
from .script import Script

#: The braces in a template: those of the script itself, those around the name of a value, and any others.
_BRACES = re.compile(r"(?P<own>\{\{|\}\})|\{(?P<name>[^\W\d]\w*)\}|(?P<wrong>[{}][^{}]{0,20}\}?)")

#: What must not be right beside a value, as the two would be read as one word.
_WORD = re.compile(r"[A-Za-z0-9_$.]")


class ScriptText(str):
    """The text of a script made by `pipe`. As a value for another `pipe` it is a script, while other text is just text."""

    __slots__ = ()


class _Placed(NamedTuple):
    """
    A value in the text of a script.

    Attributes:
        name: Its name in the template.
        value: The value.
        start, end: Where its text begins and ends.
    """

    name: str
    value: object
    start: int
    end: int


def pipe(template: str, /, **values: Any) -> ScriptText:
    """
    Return a script with values put into it.

    ::

        pipe("if $ > {limit} | mean", limit=5)
        pipe("map({key}, count)", key=pipe("$({field})", field="it's"))

    Args:
        template: The script, with names in braces where values belong. ``{{`` and ``}}`` are braces of the script itself.
        values: The values by name: numbers, booleans, texts; scripts (a `Script`, or made by `pipe`), which are put in brackets;
            and dicts of these, which become objects.

    Raises:
        PipeScriptError: A value is missing, or not used, or of a type that cannot be written in a script, or in a place where it
            cannot be; or the result is no valid script.
    """
    if not isinstance(template, str):
        raise PipeScriptError(f"{template!r} is no template: expected a script as text")
    text, placed = _filled(template, values)
    named = {place.name for place in placed}
    unused = [name for name in values if name not in named]
    if unused:
        known = f"it has {', '.join(f'{{{name}}}' for name in sorted(named))}" if named else "it has no names in braces"
        raise PipeScriptError(f"{', '.join(unused)}: no such name in the script {template!r}; {known}")
    _check_whole(text, placed)
    try:
        parse(text)
    except PipeScriptError as error:
        raise _explained(error, text, placed) from error
    return ScriptText(text)


def _filled(template: str, values: dict[str, Any]) -> tuple[str, list[_Placed]]:
    """Return the template with the values put into it, and where they are."""
    parts: list[str] = []
    placed: list[_Placed] = []
    size = at = 0
    for match in _BRACES.finditer(template):
        own, name = match["own"], match["name"]
        if match["wrong"]:
            raise PipeScriptError(
                "no name stands in these braces; write {{ and }} for braces of the script itself",
                template,
                match.start(),
            )
        if name and name not in values:
            raise PipeScriptError(f"no value for {{{name}}}: give one, pipe(…, {name}=…)", template, match.start())
        written = _written(name, values[name]) if name else str(own)[0]
        parts += [template[at : match.start()], written]
        size += match.start() - at
        if name:
            placed.append(_Placed(name, values[name], size, size + len(written)))
        size += len(written)
        at = match.end()
    parts.append(template[at:])
    return "".join(parts), placed


def _check_whole(text: str, placed: list[_Placed]) -> None:
    """Refuse a value that is no token of its own where it was put."""
    if not placed:
        return
    read = tokens(text)
    starts, ends = {token.start for token in read[:-1]}, {token.end for token in read[:-1]}
    last = read[-1].start
    for place in placed:
        before, behind = text[place.start - 1 : place.start], text[place.end : place.end + 1]
        if place.start >= last:
            raise PipeScriptError(f"{{{place.name}}} stands behind the end of the script", text, last)
        if place.start not in starts or place.end not in ends:
            inside = any(t.start < place.start < t.end and t.kind is Kind.STRING for t in read)
            why = "within quotes: leave them out, a text brings its own" if inside else "within a word: leave a space"
            raise PipeScriptError(f"{{{place.name}}} stands {why}", text, place.start)
        if _WORD.match(before) or _WORD.match(behind):
            raise PipeScriptError(f"{{{place.name}}} touches what is beside it: leave a space", text, place.start)


def _explained(error: PipeScriptError, text: str, placed: list[_Placed]) -> PipeScriptError:
    """Return a syntax error, in terms of a value if it is about one."""
    for place in placed:
        if error.position is not None and place.start <= error.position < place.end:
            reason = f"{{{place.name}}} is {_shown(place.value)}, which cannot stand here: {error.hint or error.reason}"
            return PipeScriptError(reason, text, place.start)
    return error


# --- values -----------------------------------------------------------------------------------------------------------


def _written(name: str, value: object) -> str:
    """Return a value as it is written in a script, as a single operand."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, ScriptText):
        return f"({parse(value)})"
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, Script):
        return f"({value.__pipescript__()})"
    if isinstance(value, dict):
        return _object(name, value)
    number = _number(name, value)
    if number is None:
        raise PipeScriptError(f"{name}={_shown(value)}: {_why_not(value)}")
    digits = f"{Decimal(repr(abs(number))):f}".removesuffix(".0")
    # in brackets, as a minus after a name and a space means something else
    return f"(-{digits})" if copysign(1.0, number) < 0 else digits


def _text(name: str, value: str) -> str:
    try:
        value.encode()
        return quoted(value)
    except UnicodeEncodeError as error:
        raise PipeScriptError(f"{name}={_shown(value)} cannot be sent as UTF-8: {error}") from error
    except PipeScriptError as error:
        raise PipeScriptError(f"{name}: {error.reason}") from error


def _object(name: str, value: dict[Any, Any]) -> str:
    if not value:
        raise PipeScriptError(f"{name}={{}}: no script can say an object without keys")
    items = []
    for key, item in value.items():
        if not isinstance(key, str):
            raise PipeScriptError(f"{name}: the key {key!r} is no text, as those of objects are")
        items.append(f"{_text(f'a key of {name}', key)}: {_written(f'{name}[{key!r}]', item)}")
    return f"{{{', '.join(items)}}}"


def _number(name: str, value: object) -> float | None:
    """Return a value as a number of the language; `None` if it is no number."""
    if isinstance(value, Real) and not isinstance(value, int):
        number = float(value)
    elif hasattr(value, "__index__"):
        whole = operator.index(value)
        try:
            number = float(whole)
        except OverflowError:
            number = float("inf")
        if number != whole:
            raise PipeScriptError(
                f"{name}={_shown(value)}: numbers in a script are 64-bit floats, and none of them is this one; "
                "float(…) gives the nearest, if there is one"
            )
    else:
        return None
    if not isfinite(number):
        raise PipeScriptError(f"{name}={_shown(value)}: no script can say NaN or an infinity")
    return number


def _why_not(value: object) -> str:
    if value is None:
        return "no script can say null"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "no script can say a list"
    if isinstance(value, timedelta):
        return "times are seconds in a script: give .total_seconds()"
    if isinstance(value, date):
        return "times are seconds since 1970 in a script: give those, as a datetime's .timestamp() does"
    if isinstance(value, bytes):
        return "texts are str in a script: give .decode()"
    if hasattr(value, "sschema") or hasattr(value, "addStream"):
        return "a script runs over one stream and cannot name others: connectordb.query lines several up"
    return "a script says numbers, truth values, texts, other scripts, and dicts of these"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
