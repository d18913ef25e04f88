"""No schema and no value keeps whoever checks them busy for ever."""

from __future__ import annotations

import json
import time
import unittest
from typing import Any

from jsonschema import SchemaError, ValidationError

from connectordb.protocol.schemas import Schema


class Bounded(unittest.TestCase):
    """Schemas that would take for ever, or deeper than Python goes."""

    def test_bombs(self) -> None:
        """A short schema whose references double at each of many steps is refused at once."""
        definitions = {f"a{n + 1}": {"allOf": [{"$ref": f"#/definitions/a{n}"}] * 2} for n in range(40)}
        bomb = {"definitions": {"a0": {"type": "null"}, **definitions}, "$ref": "#/definitions/a40"}
        with self.assertRaises(SchemaError):
            Schema(json.dumps(bomb))
        # nothing is seen of this one before there is a value
        both = Schema('{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}')
        value: Any = 1
        for _ in range(50):
            value = {"a": value}
        self.assertTrue(both.allows({"a": {"a": 1}}))
        self.assertFalse(both.allows(value))
        with self.assertRaisesRegex(ValidationError, "steps"):
            both.check(value)

    def test_circles(self) -> None:
        """A reference that comes back to itself for some values only allows none of these."""
        circle = Schema('{"type":"object","allOf":[{"$ref":"#"}]}')
        self.assertFalse(circle.allows({}))
        with self.assertRaises(ValidationError):
            circle.check({})

    def test_nested(self) -> None:
        """Nested schemas work as deep as is allowed; beyond, and in an enum, they are refused."""
        for begin, end, inside in (
            ('{"not":', "}", "1"),
            ('{"properties":{"a":', "}}", '{"a":1}'),
            ('{"items":', "}", "[1]"),
        ):
            for depth in (30, 60, 99):
                Schema(begin * depth + '{"type":"string"}' + end * depth).allows(json.loads(inside))
            with self.assertRaises(SchemaError):
                Schema(begin * 2000 + "{}" + end * 2000)
        with self.assertRaises(SchemaError):
            Schema('{"enum":[' + "[" * 5000 + "]" * 5000 + "]}")

    def test_unique(self) -> None:
        """Whether items are unique takes time in proportion to them, and tells True from 1."""
        unique = Schema('{"uniqueItems":true}')
        begin = time.monotonic()
        self.assertTrue(unique.allows([{"a": n} for n in range(20_000)]))
        self.assertLess(time.monotonic() - begin, 5)
        for value, wanted in (
            ([1, True], True),
            ([1, 1.0], False),
            ([[1], [1]], False),
            ([{"a": 0}, {"a": False}], True),
        ):
            self.assertEqual(unique.allows(value), wanted, value)
