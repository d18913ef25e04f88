"""Schemas are read as a 0.3 server reads them."""

from __future__ import annotations

import json
import math
import re
import time
import unittest
from typing import Any
from unittest import mock

import fastjsonschema
import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol.schemas import Schema, schema
from connectordb.runtime.clock import Deadline

from ..support.case import MS, SOON
from ..support.strategies import values

#: Schema, values it allows, values it refuses.
READINGS: list[tuple[Any, list[Any], list[Any]]] = [
    ({}, [None, 1, "x", [], {}], []),
    ({"type": "number"}, [1, 1.5, -0.0], ["1", True, None, [1]]),
    ({"type": "integer"}, [1, 1.0], [1.5, True]),
    ({"type": "boolean"}, [True], [0, 1, "true"]),
    ({"minimum": 3, "exclusiveMinimum": True}, [4, "x"], [3, 2]),
    ({"minimum": 3, "exclusiveMinimum": False}, [3], [2]),
    ({"maximum": 3, "exclusiveMaximum": True}, [2], [3]),
    ({"exclusiveMinimum": 3}, [4], [3]),
    ({"const": 1}, [1, 1.0], [True, 2]),
    ({"enum": ["a", "b"]}, ["a"], ["c", 1]),
    ({"enum": [1, None]}, [1, None], [True, 2]),
    ({"if": {"type": "number"}, "then": {"minimum": 1}}, ["x", 1], [0]),
    ({"contains": {"type": "number"}}, [[1]], [["x"], []]),
    ({"propertyNames": {"maxLength": 1}}, [{"a": 1}], [{"ab": 1}]),
    ({"type": "string", "pattern": "^a"}, ["ab"], ["b"]),
    (
        {"patternProperties": {"^n": {"type": "number"}}, "additionalProperties": False},
        [{"n1": 1}],
        [{"n1": "x"}, {"b": 1}],
    ),
    ({"additionalProperties": {"type": "number"}, "properties": {"a": {}}}, [{"a": "x", "b": 1}], [{"b": "x"}]),
    (
        {"format": "date-time"},
        ["2017-08-17T13:45:00Z", "2017-08-17T13:45:00.5+02:00", "2017-08-17", "13:45:00", "9:45:00.5Z", None, [], {}],
        [
            "today",
            5,
            "2017-13-01T00:00:00Z",
            "2017-02-30",
            "25:00:00",
            "2017-08-17T13:45:00",
            "2017-08-17 13:45:00Z",
            "13:45",
        ],
    ),
    *(({"format": unenforced}, ["x", 5], []) for unenforced in ("date", "time", "json-pointer", "unheard-of")),
    ({"format": "ipv4"}, ["127.0.0.1"], ["localhost"]),
    ({"format": "ipv6"}, ["::1", "::ffff:1.2.3.4"], ["1::g", "fe80::1%eth0"]),
    ({"format": "regex"}, ["", "a", "(?P<n>a)", None], ["[a", "*", 5]),
    ({"format": "uri"}, ["a:", "http://a/b", "a:b c"], ["", "a", "/a", "1:b", "a:\n", 5]),
    (
        {"format": "uri-reference"},
        ["", "a b", "//x", "a:b", "?x:y", "/%20"],
        ["1:2", ":a", "/%zz", "a\n", "12:00:00", 5],
    ),
    (
        {"format": "uuid"},
        ["550e8400-e29b-41d4-a716-446655440000", None],
        ["550E8400-E29B-41D4-A716-446655440000", "550e8400e29b41d4a716446655440000", "", 5],
    ),
    ({"uniqueItems": True}, [[1, True]], [[1, 1.0]]),
    ({"$ref": "#/definitions/n", "definitions": {"n": {"type": "number"}}}, [1], ["x"]),
    ({"properties": {"next": {"$ref": "#"}}, "type": "object"}, [{"next": {"next": {}}}], [{"next": 1}]),
    ({"$schema": "http://json-schema.org/draft-04/schema#", "const": 2}, [2], [3]),
    ({"properties": {"it's": {"type": "number"}}}, [{"it's": 1}], [{"it's": "x"}]),
    ({"properties": {"a": {"default": 5, "type": "number"}}}, [{}], [{"a": "x"}]),
    (False, [], [1, None]),
    (True, [1, None], []),
]


class Reading(unittest.TestCase):
    """What a schema allows."""

    def test_readings(self) -> None:
        """Each keyword means what it means to the server."""
        for document, allowed, refused in READINGS:
            for value in allowed:
                with self.subTest(schema=document, value=value):
                    self.assertTrue(schema(document).allows(value))
                    schema(document).check(value)
            for value in refused:
                with self.subTest(schema=document, value=value):
                    self.assertFalse(schema(document).allows(value))
                    with self.assertRaises(jsonschema.ValidationError):
                        schema(document).check(value)

    @given(st.sampled_from([entry[0] for entry in READINGS]), values)
    def test_compiled_or_not(self, document: Any, value: Any) -> None:
        """The compiled function allows nothing that the precise validator refuses."""
        ready = schema(document)
        self.assertEqual(ready.allows(value), ready.problem(value) is None)

    def test_kinds(self) -> None:
        """Kinds of values are allowed as a whole only where the schema says no more than the type."""
        for document, kinds, allowed in (
            ({}, {dict, list}, True),
            ({"type": "number"}, {int, float}, True),
            ({"type": "number", "title": "a"}, {float}, True),
            ({"type": "number"}, {int, bool}, False),
            ({"type": "number", "minimum": 0}, {int}, False),
            ({"type": "integer"}, {int}, True),
            ({"type": "integer"}, {float}, False),
            ({"type": ["string", "boolean"]}, {str, bool}, True),
            ({"type": "string"}, {type(None)}, False),
            ({"type": "object"}, {dict}, False),
            ({"title": "number"}, {int}, False),
        ):
            with self.subTest(document=document, kinds=kinds):
                self.assertIs(schema(document).allows_kinds(kinds), allowed)

    def test_values_are_not_changed(self) -> None:
        """A default in the schema is not written into the value."""
        value: dict[str, Any] = {}
        schema({"properties": {"a": {"default": 5}}}).check(value)
        self.assertEqual(value, {})

    def test_nothing_is_any_value(self) -> None:
        """No schema allows everything."""
        for given_schema in (None, "", "{}", {}, "  {}  "):
            self.assertEqual(schema(given_schema).text, "{}")
            self.assertTrue(schema(given_schema).allows(object()))


class Refusing(unittest.TestCase):
    """A bad schema is refused before anything is sent."""

    def test_bad_schemas(self) -> None:
        """JSON that is no schema is a SchemaError that says why."""
        for text, words in {
            '{"type": "nope"}': "nope",
            '{"type": 5}': "5",
            '{"properties": 3}': "3",
            '{"pattern": "("}': "regular expression|regex",
            '{"patternProperties": {"(": {}}}': "regular expression|regex",
            '{"$ref": "http://127.0.0.1:1/x"}': "leaves the schema",
            '{"$ref": "file:///etc/passwd"}': "leaves the schema",
            '{"items": [{"$ref": "other.json"}]}': "leaves the schema",
            '{"$ref": "#/definitions/absent"}': "leads nowhere",
            '{"allOf": [{"$ref": "#"}]}': "back to itself",
            '{"exclusiveMinimum": true}': "minimum beside it",
            "[1]": "expected an object",
            "5": "expected an object",
        }.items():
            with self.subTest(text), self.assertRaisesRegex(jsonschema.SchemaError, words):
                schema(text)

    def test_no_json(self) -> None:
        """Text that is no JSON, and what is neither text nor dict, is a ValueError."""
        for given_schema in ("{", "nope", "{'a': 1}", 5, [1], {"minimum": math.nan}, {"enum": [b"x"]}):
            with self.subTest(given_schema), self.assertRaises(ValueError):
                schema(given_schema)  # type: ignore[arg-type]

    def test_no_numbers_that_are_none(self) -> None:
        """NaN and what is beyond a float are no JSON: nothing could be compared with them."""
        for text in ('{"maximum":NaN}', '{"maximum":1e999}', '{"multipleOf":-Infinity}', '{"enum":[1e999]}'):
            with self.assertRaises(ValueError, msg=text):
                schema(text)

    def test_nothing_is_fetched(self) -> None:
        """A schema that points elsewhere is refused without a look there."""
        with mock.patch("socket.socket", side_effect=AssertionError("looked elsewhere")):
            for document in ({"$ref": "http://localhost/x"}, {"properties": {"a": {"$ref": "ftp://localhost/x"}}}):
                self.assertRaises(jsonschema.SchemaError, schema, document)

    def test_no_code_gets_in(self) -> None:
        """Text that could end a string in generated code is never compiled into it."""
        with mock.patch.object(fastjsonschema, "compile", side_effect=AssertionError("compiled")):
            for document in (
                {"properties": {'a"] + boom() + x["': {}}},
                {"required": ["a' + boom() + '"]},
                {"enum": ["{boom()}"]},
                {"title": 'x"""\nboom()\n"""'},
            ):
                with self.subTest(document):
                    Schema(schema(document).text, re.search)

    def test_text_is_compact(self) -> None:
        """The text is what the server keeps: without insignificant blanks."""
        self.assertEqual(schema('{"type" : "string"}').text, '{"type":"string"}')
        self.assertEqual(repr(schema({"type": "string"})), '<Schema {"type":"string"}>')

    def test_cached(self) -> None:
        """The same schema is compiled once."""
        self.assertIs(schema({"type": "number"}), schema({"type": "number"}))


class Bounded(unittest.TestCase):
    """Who writes a schema or a value cannot occupy whoever checks it."""

    def test_what_is_not_compiled(self) -> None:
        """What would become much code does not become any, and means the same: thousands of dependencies took gigabytes."""
        names = [f"a{number}" for number in range(1000)]
        for document, good, bad in (
            ({"dependencies": {name: ["b"] for name in names}}, {"a1": 1, "b": 1}, {"a1": 1}),
            ({"anyOf": [{"const": name} for name in names]}, "a999", "b"),
        ):
            checked = Schema(json.dumps(document))
            self.assertIsNone(checked._compiled)
            self.assertEqual((checked.allows(good), checked.allows(bad)), (True, False))

    def test_time(self) -> None:
        """A value that takes too long to check is not allowed, be it compiled or not."""
        for document, value in (
            ({"patternProperties": {f"a{number}": {} for number in range(3000)}}, {f"b{n}": 1 for n in range(20_000)}),
            ({"items": {"anyOf": [{"const": "a"}] * 100 + [{}]}}, [1] * 1_000_000),
        ):
            checked = Schema(json.dumps(document))
            begin = time.monotonic()
            self.assertFalse(checked.allows(value, Deadline(50 * MS).passed))
            self.assertLess(time.monotonic() - begin, SOON / 4)
