"""
`pipe`: values into scripts, each as what it is and nothing else, whatever is in it.

A value is written as a script says it, and then looked for among the tokens of the result: where it is not there as a whole (it
came to stand in quotes, or behind something that ends the script), it is refused.
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

#: What a template is made of: braces of the script's own, places of values, and braces that are neither.
_BRACES = re.compile(r"(?P<own>\{\{|\}\})|\{(?P<name>[^\W\d]\w*)\}|(?P<wrong>[{}][^{}]{0,20}\}?)")

#: What a value must not touch, as both would be read as one word.
_WORD = re.compile(r"[A-Za-z0-9_$.]")


class ScriptText(str):
    """The text of a script that `pipe` made; as a value in another one it is a script, where other text is a text."""

    __slots__ = ()


class _Placed(NamedTuple):
    """
    A value in the text of a script.

    Attributes:
        name: What the template calls it.
        value: What it is.
        start, end: Where its text stands.
    """

    name: str
    value: object
    start: int
    end: int


def pipe(template: str, /, **values: Any) -> ScriptText:
    """
    Return a script with values in it, each written so that it means itself.

    ::

        pipe("if $ > {limit} | mean", limit=5)
        pipe("map({key}, count)", key=pipe("$({field})", field="it's"))

    Args:
        template: The script, with names in braces where values belong; ``{{`` and ``}}`` are braces of its own.
        values: By these names: numbers, truth values, texts; scripts (a `Script`, or what `pipe` made), which stand in brackets;
            and dicts of these, as an object of the script.

    Raises:
        PipeScriptError: A value is missing, is not used, is of a kind that no script can say, or cannot stand where it is; or the
            result is no script.
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
    """Return the template with its values, and where they are."""
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
    """Refuse a value that the reader of scripts does not find where it was put."""
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
    """Return an error of reading the script, saying which value it is about if it is about one."""
    for place in placed:
        if error.position is not None and place.start <= error.position < place.end:
            reason = f"{{{place.name}}} is {_shown(place.value)}, which cannot stand here: {error.hint or error.reason}"
            return PipeScriptError(reason, text, place.start)
    return error


# --- values -----------------------------------------------------------------------------------------------------------


def _written(name: str, value: object) -> str:
    """Return a value as a script says it, so that it is one operand wherever it stands."""
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
    # in brackets: a minus behind a name and a space means something else
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
    """Return a value as the number that a script has, `None` if it is none."""
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
