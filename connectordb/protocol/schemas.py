"""
JSON Schemas: text or dict to a checked, cached `Schema` that says whether a value is allowed.

A schema is read as a 0.3 server reads it (``docs/topics/wire.rst``, "Schemas"): the keywords of drafts 4, 6 and 7 side by
side, draft 4's boolean ``exclusiveMinimum`` and ``exclusiveMaximum`` too, ``1.0`` an integer, ``format`` enforced and
applied to numbers as well. What leaves the schema (a ``$ref`` to a file or a URL) is refused, as nobody should fetch it.

Values are checked by a compiled function where that is possible (measured: a thousand times faster than
``jsonschema.validate``), and by ``jsonschema`` where the schema holds a pattern or a format, since the two libraries differ
in those. Both libraries are imported when the first schema is met.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..exceptions import LocalProtocolError
from . import json_text

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

#: Finds a regular expression in a text, as ``re.search`` does; a server passes one that cannot run for ever.
Search = Callable[[str, str], object]

_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_SUBSCHEMA = "additionalItems additionalProperties contains else if items not propertyNames then".split()
_SUBSCHEMA_LISTS = "allOf anyOf items oneOf".split()
_SUBSCHEMA_MAPS = "definitions dependencies patternProperties properties".split()
#: With one of these a schema goes to jsonschema: fastjsonschema would run patterns with Python's own regular expressions, and
#: takes True for 1.
_NOT_COMPILED = {"pattern", "patternProperties", "format", "uniqueItems", "an enum that is not of texts"}
#: Likewise with such text anywhere in it, which had better not stand in the Python code that fastjsonschema writes.
_ODD_TEXT = re.compile(r"[\"'{}\\\x00-\x1f]")


class Schema:
    """
    One schema, ready to check values.

    Attributes:
        text: The schema as JSON text without insignificant blanks, as the server keeps it.
        document: The same as a dict (or as a boolean); do not change it.
    """

    def __init__(self, text: str, search: Search = re.search) -> None:
        document = _loads(text)
        self.document: dict[str, Any] | bool = document
        self.text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        self._search = search
        rewritten, found = _one_dialect(document)
        self._precise = _precise_validator(rewritten, search)
        odd = any(_ODD_TEXT.search(part) for part in _texts(document))
        self._compiled = None if odd or found & _NOT_COMPILED or not rewritten else _compile(rewritten)
        self._anything = document in ({}, True)

    def allows(self, value: Any) -> bool:
        """Tell whether *value* is allowed."""
        if self._anything:
            return True
        if self._compiled is not None and self._compiled(value):
            return True
        # the two libraries differ in odd corners (tuples, numpy numbers); jsonschema has the last word
        return bool(self._precise.is_valid(value))

    def check(self, value: Any) -> None:
        """
        Accept *value* if it is allowed.

        Raises:
            jsonschema.ValidationError: It is not; the message says why.
        """
        if not self.allows(value):
            problem = self.problem(value)
            assert problem is not None
            raise problem

    def problem(self, value: Any) -> ValidationError | None:
        """Return what keeps *value* from being allowed, or ``None``."""
        from jsonschema.exceptions import best_match

        problem: ValidationError | None = best_match(self._precise.iter_errors(value))
        return problem

    def __repr__(self) -> str:
        """Return the text."""
        return f"<Schema {self.text}>"


def schema(given: str | Mapping[str, Any] | bool | None) -> Schema:
    """
    Return the `Schema` that *given* says: JSON text, a dict, or nothing (any value is allowed).

    Raises:
        ValueError: A text is no JSON, or a value in a dict is none.
        jsonschema.SchemaError: It is JSON, but no schema that a server accepts.
    """
    if given is None or given == "":
        return _cached("{}")
    if isinstance(given, str):
        return _cached(given)
    if not isinstance(given, (Mapping, bool)):
        raise LocalProtocolError(f"{given!r} is no schema: expected a dict, or JSON text that holds one")
    document = given if isinstance(given, bool) else dict(given)
    json_text.check_value(document)
    return _cached(json.dumps(document, ensure_ascii=False))


def first_problem(text: str | None, values: Sequence[Any]) -> tuple[int, str] | None:
    """
    Return the index of the first value that a schema does not allow, and why.

    ``None`` if all are allowed here, or if the schema is one that is not accepted here.
    """
    from jsonschema import SchemaError

    try:
        checked = schema(text)
    except (SchemaError, LocalProtocolError):
        return None
    problems = ((number, checked.problem(value)) for number, value in enumerate(values) if not checked.allows(value))
    return next(((number, problem.message) for number, problem in problems if problem is not None), None)


def usable(text: str) -> Schema | None:
    """Return the `Schema` that *text* says, or ``None`` if it is none that can be used here: a server may have it all the same."""
    from jsonschema import SchemaError

    try:
        return schema(text)
    except (ValueError, SchemaError):
        return None


@lru_cache(maxsize=1024)
def _cached(text: str) -> Schema:
    return Schema(text)


def _loads(text: str) -> dict[str, Any] | bool:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise LocalProtocolError(f"the schema {text!r} is no JSON text: {error}") from error
    if not isinstance(document, (dict, bool)):
        raise _schema_error(f"{text} is no JSON Schema: expected an object", document)
    return document


def _schema_error(message: str, at: Any) -> Exception:
    from jsonschema import SchemaError

    return SchemaError(message, instance=at)


def _one_dialect(document: Any, depth: int = 0) -> tuple[Any, set[str]]:
    """Return the schema in draft 7's words, and the keywords that occur in it."""
    if not isinstance(document, dict):
        return document, set()
    if depth > json_text.MAX_DEPTH:
        raise _schema_error(f"the schema is nested more than {json_text.MAX_DEPTH} levels deep", None)
    found: set[str] = set(document)
    rewritten: dict[str, Any] = {}

    def inner(value: Any) -> Any:
        changed, keywords = _one_dialect(value, depth + 1)
        found.update(keywords)
        return changed

    for key, value in document.items():
        if key in _EXCLUSIVE and isinstance(value, bool):
            limit = document.get(_EXCLUSIVE[key])
            if limit is None:
                raise _schema_error(f"{key} is a boolean and needs {_EXCLUSIVE[key]} beside it", document)
            if value:
                rewritten[key] = limit
        elif key in _SUBSCHEMA_LISTS and isinstance(value, list):
            rewritten[key] = [inner(item) for item in value]
        elif key in _SUBSCHEMA:
            rewritten[key] = inner(value)
        elif key in _SUBSCHEMA_MAPS and isinstance(value, dict):
            rewritten[key] = {name: inner(item) for name, item in value.items()}
        elif key == "$ref" and not (isinstance(value, str) and (value == "#" or value.startswith("#/"))):
            raise _schema_error(
                f"$ref {value!r} leaves the schema; only references into itself, '#/…', are allowed", value
            )
        elif key in ("enum", "const"):
            rewritten[key] = value
            if not all(isinstance(item, str) for item in (value if isinstance(value, list) else [value])):
                found.add("an enum that is not of texts")
        elif key not in ("$schema", "id", "$id"):  # these choose another dialect, or move what $ref refers to
            rewritten[key] = value
    return rewritten, found


def _texts(node: Any) -> Iterator[str]:
    """Yield every text in a JSON value, keys too."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)


def _compile(document: Any) -> Callable[[Any], bool] | None:
    import fastjsonschema

    try:
        validate = fastjsonschema.compile(
            document
            if isinstance(document, bool)
            else {"$schema": "http://json-schema.org/draft-07/schema#", **document},
            use_default=False,
        )
    except fastjsonschema.JsonSchemaDefinitionException:
        return None
    refusal = fastjsonschema.JsonSchemaValueException

    def allows(value: Any) -> bool:
        try:
            validate(value)
        except refusal:
            return False
        return True

    return allows


def _precise_validator(document: Any, search: Search) -> Validator:
    """Return jsonschema's validator with the server's reading, having checked the schema itself."""
    from jsonschema import Draft7Validator, SchemaError
    from jsonschema.validators import extend

    kind: Any = extend(Draft7Validator, _pattern_keywords(search))  # type: ignore[no-untyped-call]
    kind.check_schema(document)
    _check_inside(document, document, search)
    validator: Validator = kind(document, format_checker=_formats())
    try:
        validator.is_valid(None)
    except RecursionError as error:
        raise SchemaError("a $ref in the schema leads back to itself") from error
    return validator


def _check_inside(node: Any, document: Any, search: Search) -> None:
    """Look for what the meta-schema does not see: references that lead nowhere, patterns that do not compile."""
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
                except Exception as error:  # re.error, or whatever the server's library calls it
                    raise _schema_error(f"{pattern!r} is no regular expression: {error}", node) from error
        _check_inside(value, document, search)


def _follow(reference: str, document: Any) -> None:
    at = document
    for part in reference[1:].split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        try:
            at = at[int(part)] if isinstance(at, list) else at[part]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise _schema_error(f"$ref {reference!r} leads nowhere", document) from error


def _pattern_keywords(search: Search) -> dict[str, Any]:
    """Return the keywords that run regular expressions, running them with *search*."""
    from jsonschema import ValidationError

    def pattern(validator: Any, wanted: str, value: Any, where: Any) -> Any:
        if isinstance(value, str) and not search(wanted, value):
            yield ValidationError(f"{value!r} does not match {wanted!r}")

    def pattern_properties(validator: Any, patterns: dict[str, Any], value: Any, where: Any) -> Any:
        if isinstance(value, dict):
            for wanted, inner in patterns.items():
                for name in value:
                    if search(wanted, name):
                        yield from validator.descend(value[name], inner, path=name, schema_path=wanted)

    def additional_properties(validator: Any, inner: Any, value: Any, where: Any) -> Any:
        if not isinstance(value, dict):
            return
        named, patterns = where.get("properties", {}), where.get("patternProperties", {})
        for name in value:
            if name not in named and not any(search(wanted, name) for wanted in patterns):
                if inner is False:
                    yield ValidationError(f"the property {name!r} is not allowed")
                else:
                    yield from validator.descend(value[name], inner, path=name)

    return {
        "pattern": pattern,
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
    }


def _formats() -> Any:
    """Return the formats that are enforced; the server applies them to numbers too, which then fit none."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    for name, fits in _FORMATS.items():
        checker.checks(name)(_text_only(fits))
    return checker


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


def _date_time(text: str) -> bool:
    shape = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text)
    return shape is not None and _parses(datetime.fromisoformat)(f"{shape[1]}T{shape[2]}")


_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _date_time,
    "date": lambda text: len(text) == 10 and _parses(lambda day: datetime.strptime(day, "%Y-%m-%d"))(text),
    "time": lambda text: _date_time(f"2000-01-01T{text}"),
    "email": lambda text: re.fullmatch(r"[^@\s]+@[^@\s]+", text) is not None,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "uri": lambda text: re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+", text) is not None,
    "hostname": lambda text: re.fullmatch(r"(?!-)[a-zA-Z0-9-]{1,63}(\.(?!-)[a-zA-Z0-9-]{1,63})*\.?", text) is not None,
}
