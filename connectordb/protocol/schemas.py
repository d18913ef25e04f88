"""
JSON Schemas: text or dict to a checked, cached `Schema` that says whether a value is allowed.

A schema is read as a 0.3 server reads it (``docs/topics/wire.rst``, "Schemas"): the keywords of drafts 4, 6 and 7 side by
side, draft 4's boolean ``exclusiveMinimum`` and ``exclusiveMaximum`` too, ``1.0`` an integer, ``format`` enforced and
applied to numbers as well. What leaves the schema (a ``$ref`` to a file or a URL) is refused, as nobody should fetch it.

Values are checked by a compiled function where that is possible (measured: a thousand times faster than
``jsonschema.validate``), and by ``jsonschema`` where the schema holds a pattern or a format, since the two libraries differ
in those. Both libraries take megabytes, and are imported when the first schema is met that says more than a type, or a value
that is not of it.
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
#: With one of these a schema goes to jsonschema: fastjsonschema would run patterns with Python's own regular expressions, and
#: takes True for 1; nobody would count the steps along a $ref; and dependencies become code in the square of their number.
_NOT_COMPILED = {
    *("pattern", "patternProperties", "format", "uniqueItems", "$ref", "dependencies"),
    "an enum that is not of texts",
}
#: Likewise one with more parts than this: the code for them takes seconds to make, and megabytes.
_MOST_COMPILED = 500
#: Parts of the schema times parts of the value that the compiled function may go through, which has no end: some two seconds.
_MOST_WORK = 20_000_000
#: Likewise with such text anywhere in it, which had better not stand in the Python code that fastjsonschema writes.
_ODD_TEXT = re.compile(r"[\"'{}\\\x00-\x1f]")

#: Type → kinds of values that are of it, all of them. Floats that are integers are left to be looked at.
_KINDS: Mapping[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "string": (str,),
    "boolean": (bool,),
}
#: What a type may be called.
_TYPES = {*_KINDS, "null", "array", "object"}
#: Values without parts.
_SCALARS = frozenset((float, int, str, bool, type(None)))
#: Keywords that refuse no value.
_REMARKS = ("$schema", "title", "description", "default", "examples")

#: Levels of lists and objects in a schema's text: one keyword may take several.
_MAX_NESTING = 3 * json_text.MAX_DEPTH


class Schema:
    """
    One schema, ready to check values.

    Attributes:
        text: The schema as JSON text without insignificant blanks, as the server keeps it.
        document: The same as a dict (or as a boolean); do not change it.
    """

    def __init__(self, text: str, search: Search = re.search) -> None:
        document = _loads(text)
        odd = any([_ODD_TEXT.search(part) for part in _texts(document)])  # a list: all of it is gone through
        self.document: dict[str, Any] | bool = document
        self.text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        self._search = search
        self._rewritten, found = _one_dialect(document)
        self._is_plain = not (odd or found & _NOT_COMPILED or _has_more(self._rewritten, _MOST_COMPILED))
        if not _is_mere_type(document):
            self._precise = precise_validator(self._rewritten, search)  # which also looks whether the schema is one
        self._most_parts = _MOST_WORK // len(text)
        self._anything = document in ({}, True)
        self._kinds = _kinds(document)

    def allows(self, value: Any, is_late: Callable[[], bool] | None = None) -> bool:
        """Tell whether *value* is allowed; one that is still being checked when *is_late* says so is not."""
        if self._anything or type(value) in self._kinds:
            return True
        if self._compiled is not None and not _has_more(value, self._most_parts) and self._compiled(value):
            return True
        # the two libraries differ in odd corners (tuples, numpy numbers); jsonschema has the last word
        try:
            with counted_steps(is_late):
                return bool(self._precise.is_valid(value))
        except (TooManySteps, RecursionError):
            return False  # nobody can tell; `problem` says so

    def allows_kinds(self, kinds: AbstractSet[type]) -> bool:
        """Tell whether every value of these kinds is allowed, whatever it is; if not, `allows` is to be asked about each."""
        return self._anything or self._kinds.issuperset(kinds)

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
    document = given if isinstance(given, bool) else json_text.checked(dict(given))
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


def is_schema_error(error: Exception) -> bool:
    """Tell whether an exception is jsonschema's of a schema that is none; jsonschema is not imported for it."""
    jsonschema = sys.modules.get("jsonschema")
    return jsonschema is not None and isinstance(error, jsonschema.SchemaError)


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
        document = json_text.decoder.decode(text)  # without NaN and the infinities, which no value can be compared with
    except ValueError as error:
        raise LocalProtocolError(f"the schema {text!r} is no JSON text: {error}") from error
    except RecursionError as error:
        raise nested_too_deeply() from error
    if not isinstance(document, (dict, bool)):
        raise schema_error(f"{text} is no JSON Schema: expected an object", document)
    return document


def _one_dialect(document: Any, depth: int = 0) -> tuple[Any, set[str]]:
    """Return the schema in draft 7's words, and the keywords that occur in it."""
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
        elif key not in ("$schema", "id", "$id"):  # these choose another dialect, or move what $ref refers to
            rewritten[key] = value
    return rewritten, found


def _kinds(document: Any) -> frozenset[type]:
    """Return kinds of which a schema allows every value; none if it says more than the type."""
    if not isinstance(document, dict) or not document.keys() <= {"type", *_REMARKS}:
        return frozenset()
    type_ = document.get("type")
    names = type_ if isinstance(type_, list) else [type_]
    return frozenset().union(*(_KINDS.get(name, ()) for name in names if isinstance(name, str)))


def _is_mere_type(document: Any) -> bool:
    """Tell whether a schema allows all, or all of one type: then nobody need look whether it is one."""
    return document in ({}, True, *({"type": name} for name in _TYPES))


def _texts(document: Any) -> Iterator[str]:
    """
    Yield every text in a schema, keys too.

    Raises:
        jsonschema.SchemaError: It is nested too deeply for anybody to go through it by recursion.
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
    """Tell whether a value has more than so many parts, at whatever depth."""
    if not isinstance(value, (dict, list, tuple)):
        return False
    parts = 0
    level: list[Any] = [value]
    while level and parts <= most:
        node = level.pop()
        parts += len(node)
        inner = node.values() if isinstance(node, dict) else node
        if not _SCALARS.issuperset(map(type, inner)):  # most often there are no others
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
        return None  # the last three: the code for it is nested deeper than Python goes
    refusal = fastjsonschema.JsonSchemaValueException

    def allows(value: Any) -> bool:
        try:
            validate(value)
        except refusal:
            return False
        return True

    return allows
