"""
JSON Schemas: from text or dict to a checked, cached `Schema` that says whether a value is allowed.

A schema means what it means to a 0.3 server (``docs/topics/wire.rst``, "Schemas"): it may mix keywords of drafts 4, 6 and 7,
also draft 4's boolean ``exclusiveMinimum`` and ``exclusiveMaximum``; ``1.0`` is an integer; ``format`` is enforced, for numbers
too. A ``$ref`` that leaves the schema, to a file or a URL, is refused, because nobody should fetch it.

Values are checked by a function that fastjsonschema compiles, where that is possible (measured: a thousand times faster than
``jsonschema.validate``), and by ``jsonschema`` for schemas that the two libraries read differently. Both libraries take
megabytes, so they are imported only at the first schema that says more than a type, or the first value that is of another type.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from ..exceptions import LocalProtocolError
from . import json_text
from .validators import (
    MOST_STEPS,
    Search,
    TooManySteps,
    counted_steps,
    nested_too_deeply,
    precise_validator,
    schema_error,
)

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_SUBSCHEMA = "additionalItems additionalProperties contains else if items not propertyNames then".split()
_SUBSCHEMA_LISTS = "allOf anyOf items oneOf".split()
_SUBSCHEMA_MAPS = "definitions dependencies patternProperties properties".split()
#: A schema with one of these is not compiled: fastjsonschema runs patterns with Python's own regular expressions, and takes True
#: for 1; the steps along a $ref could not be counted; and the code for dependencies grows with the square of their number.
_NOT_COMPILED = {
    *("pattern", "patternProperties", "format", "uniqueItems", "$ref", "dependencies"),
    "an enum that is not of texts",
}
#: Nor is a schema with more parts than this: making the code would take seconds, and megabytes.
_MOST_COMPILED = 500
#: Nor is a schema with such a character in any text, which had better not get into the Python code that fastjsonschema writes.
_ODD_TEXT = re.compile(r"[\"'{}\\\x00-\x1f]")
#: A compiled function cannot be stopped, so it is used only if characters of the schema times parts of the value are at most this:
#: about two seconds.
_MOST_WORK = 20_000_000

#: For each type of JSON Schema the Python types all of whose values it allows. Floats may be of the type "integer", but not all are.
_KINDS: Mapping[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "string": (str,),
    "boolean": (bool,),
}
#: The names of all types.
_TYPES = {*_KINDS, "null", "array", "object"}
#: Types of values without parts.
_SCALARS = frozenset((float, int, str, bool, type(None)))
#: Keywords that refuse no value.
_REMARKS = ("$schema", "title", "description", "default", "examples")

#: The most levels of lists and objects in a schema's text, where one keyword may take several levels.
_MAX_NESTING = 3 * json_text.MAX_DEPTH


class Schema:
    """
    One schema, ready to check values.

    Attributes:
        text: The schema as JSON text without insignificant whitespace, as the server keeps it.
        document: The same as a dict, or as a boolean. Do not change it.
    """

    def __init__(self, text: str, search: Search = re.search) -> None:
        document = _loads(text)
        # any() of a list, not of a generator: it must go through all of the schema, which also checks how deep it is nested
        odd = any([_ODD_TEXT.search(part) for part in _texts(document)])
        self.document: dict[str, Any] | bool = document
        self.text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        self._search = search
        self._rewritten, found = _one_dialect(document)
        self._is_plain = not (odd or found & _NOT_COMPILED or _has_more(self._rewritten, _MOST_COMPILED))
        if not _is_mere_type(document):
            self._precise = precise_validator(self._rewritten, search)  # now, as this also checks the schema itself
        self._most_parts = _MOST_WORK // len(text)
        self._anything = document in ({}, True)
        self._kinds = _kinds(document)

    def allows(self, value: Any, is_late: Callable[[], bool] | None = None) -> bool:
        """
        Tell whether *value* is allowed.

        Args:
            value: The value.
            is_late: Says when time is up: a value that is still being checked then is not allowed.
        """
        if self._anything or type(value) in self._kinds:
            return True
        if self._compiled is not None and not _has_more(value, self._most_parts) and self._compiled(value):
            return True
        # the two libraries differ in odd corners (tuples, NumPy's numbers); jsonschema has the last word
        try:
            with counted_steps(is_late):
                return bool(self._precise.is_valid(value))
        except (TooManySteps, RecursionError):
            return False  # it cannot be found out; `problem` says so

    def allows_kinds(self, kinds: AbstractSet[type]) -> bool:
        """Tell whether every value of these types is allowed. If not, ask `allows` about each value."""
        return self._anything or self._kinds.issuperset(kinds)

    def check(self, value: Any) -> None:
        """
        Raise an error if *value* is not allowed.

        Raises:
            jsonschema.ValidationError: It is not; the message says why.
        """
        if not self.allows(value):
            problem = self.problem(value)
            assert problem is not None
            raise problem

    def problem(self, value: Any) -> ValidationError | None:
        """Return why *value* is not allowed; ``None`` if it is."""
        from jsonschema import ValidationError
        from jsonschema.exceptions import best_match

        try:
            with counted_steps():
                problem: ValidationError | None = best_match(self._precise.iter_errors(value))
        except (TooManySteps, RecursionError):
            return ValidationError(f"this value takes more than {MOST_STEPS} steps to check, or is nested too deeply")
        return problem

    @cached_property
    def _precise(self) -> Validator:
        return precise_validator(self._rewritten, self._search)

    @cached_property
    def _compiled(self) -> Callable[[Any], bool] | None:
        return _compile(self._rewritten) if self._rewritten and self._is_plain else None

    def __repr__(self) -> str:
        """Return the text."""
        return f"<Schema {self.text}>"


def schema(given: str | Mapping[str, Any] | bool | None) -> Schema:
    """
    Return a `Schema`.

    Args:
        given: JSON text, a dict or a boolean; ``None`` or ``""`` for a schema that allows any value.

    Raises:
        ValueError: The text is no JSON, or JSON cannot carry a value in the dict.
        jsonschema.SchemaError: It is no schema that a server accepts.
    """
    if given is None or given == "":
        return _cached("{}")
    if isinstance(given, str):
        return _cached(given)
    if not isinstance(given, (Mapping, bool)):
        raise LocalProtocolError(f"{given!r} is no schema: expected a dict, or JSON text that holds one")
    document = given if isinstance(given, bool) else json_text.checked(dict(given))
    return _cached(json.dumps(document, ensure_ascii=False))


def first_problem(text: str | None, values: Sequence[Any]) -> tuple[int, str] | None:
    """
    Return the index of the first value that a schema does not allow, and why.

    ``None`` if all values are allowed, or if the schema itself is not accepted here.
    """
    from jsonschema import SchemaError

    try:
        checked = schema(text)
    except (SchemaError, LocalProtocolError):
        return None
    problems = ((number, checked.problem(value)) for number, value in enumerate(values) if not checked.allows(value))
    return next(((number, problem.message) for number, problem in problems if problem is not None), None)


def is_schema_error(error: Exception) -> bool:
    """Tell whether an exception is a ``jsonschema.SchemaError``, without importing jsonschema."""
    jsonschema = sys.modules.get("jsonschema")
    return jsonschema is not None and isinstance(error, jsonschema.SchemaError)


def usable(text: str) -> Schema | None:
    """Return the `Schema` that *text* says; ``None`` if it cannot be used here, although a server may have it all the same."""
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
        document = json_text.decoder.decode(text)  # refuses NaN and infinities, with which no value can be compared
    except ValueError as error:
        raise LocalProtocolError(f"the schema {text!r} is no JSON text: {error}") from error
    except RecursionError as error:
        raise nested_too_deeply() from error
    if not isinstance(document, (dict, bool)):
        raise schema_error(f"{text} is no JSON Schema: expected an object", document)
    return document


def _one_dialect(document: Any, depth: int = 0) -> tuple[Any, set[str]]:
    """Return the schema rewritten as draft 7, and the keywords that occur in it."""
    if not isinstance(document, dict):
        return document, set()
    if depth > json_text.MAX_DEPTH:
        raise schema_error(f"the schema is nested more than {json_text.MAX_DEPTH} levels deep", None)
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
                raise schema_error(f"{key} is a boolean and needs {_EXCLUSIVE[key]} beside it", document)
            if value:
                rewritten[key] = limit
        elif key in _SUBSCHEMA_LISTS and isinstance(value, list):
            rewritten[key] = [inner(item) for item in value]
        elif key in _SUBSCHEMA:
            rewritten[key] = inner(value)
        elif key in _SUBSCHEMA_MAPS and isinstance(value, dict):
            rewritten[key] = {name: inner(item) for name, item in value.items()}
        elif key == "$ref" and not (isinstance(value, str) and (value == "#" or value.startswith("#/"))):
            raise schema_error(
                f"$ref {value!r} leaves the schema; only references into itself, '#/…', are allowed", value
            )
        elif key in ("enum", "const"):
            rewritten[key] = value
            if not all(isinstance(item, str) for item in (value if isinstance(value, list) else [value])):
                found.add("an enum that is not of texts")
        elif key not in (
            "$schema",
            "id",
            "$id",
        ):  # left out: they choose another dialect, or change what $ref refers to
            rewritten[key] = value
    return rewritten, found


def _kinds(document: Any) -> frozenset[type]:
    """Return Python types of which a schema surely allows every value; none if it says more than a type."""
    if not isinstance(document, dict) or not document.keys() <= {"type", *_REMARKS}:
        return frozenset()
    type_ = document.get("type")
    names = type_ if isinstance(type_, list) else [type_]
    return frozenset().union(*(_KINDS.get(name, ()) for name in names if isinstance(name, str)))


def _is_mere_type(document: Any) -> bool:
    """Tell whether a schema allows any value, or any of one type: such a schema is valid, and need not be checked."""
    return document in ({}, True, *({"type": name} for name in _TYPES))


def _texts(document: Any) -> Iterator[str]:
    """
    Yield every text in a schema, keys included, level by level and not by recursion.

    Raises:
        jsonschema.SchemaError: It is nested so deeply that nothing may go through it by recursion.
    """
    level = [document]
    for _ in range(_MAX_NESTING):
        inner: list[Any] = []
        for node in level:
            if isinstance(node, str):
                yield node
            elif isinstance(node, list):
                inner += node
            elif isinstance(node, dict):
                yield from node
                inner += node.values()
        if not inner:
            return
        level = inner
    raise schema_error(f"the schema is nested more than {_MAX_NESTING} levels deep, enums and all", None)


def _has_more(value: Any, most: int) -> bool:
    """Tell whether a value has more than *most* parts, counting those at every depth."""
    if not isinstance(value, (dict, list, tuple)):
        return False
    parts = 0
    level: list[Any] = [value]
    while level and parts <= most:
        node = level.pop()
        parts += len(node)
        inner = node.values() if isinstance(node, dict) else node
        if not _SCALARS.issuperset(map(type, inner)):  # most lists and objects hold nothing else
            level += [part for part in inner if isinstance(part, (dict, list, tuple))]
    return parts > most


def _compile(document: Any) -> Callable[[Any], bool] | None:
    import fastjsonschema

    try:
        validate = fastjsonschema.compile(
            document
            if isinstance(document, bool)
            else {"$schema": "http://json-schema.org/draft-07/schema#", **document},
            use_default=False,
        )
    except (fastjsonschema.JsonSchemaDefinitionException, SyntaxError, RecursionError, MemoryError):
        return None  # the last three: its code would be nested too deeply for Python
    refusal = fastjsonschema.JsonSchemaValueException

    def allows(value: Any) -> bool:
        try:
            validate(value)
        except refusal:
            return False
        return True

    return allows
