"""Tests of `connectordb.logger.sync.streams`; what happens at the server is in `test_sync` and `test_logger`."""

from __future__ import annotations

from typing import Any

import jsonschema
import numpy
from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import LocalProtocolError
from connectordb.logger.records import StreamRow
from connectordb.logger.sync.streams import Stream, comparable, text_of
from connectordb.protocol.doubts import refuse
from tests.support.case import Case

TIMES = st.sampled_from([1.0, 2, 3.5, 4.0, 5e18, 2**63, 0.0, -1.0, True, float("nan"), float("inf"), 10**400])
VALUES = st.sampled_from(
    [1.5, 2, 0.1 + 0.2, 1e300, 2**63 - 1, 2**64 - 1, 2**64, -(2**63), True, None, "a,b", float("nan")]
)


def stream(schema: str) -> Stream:
    return Stream(StreamRow(1, "s", schema, {}, declared=False))


class StreamTests(Case):
    """A stream takes what its schema and JSON take."""

    def test_text(self) -> None:
        """A value becomes compact JSON text."""
        self.assertEqual(stream("{}").text({"a": [1, None, "é"]}), ('{"a":[1,null,"é"]}', ""))
        with self.assertRaises(jsonschema.ValidationError):
            stream('{"type":"number"}').text("a")

    def test_derived_types(self) -> None:
        """A number of NumPy is a number, in a value and as a time."""
        self.assertEqual(stream('{"type":"number"}').text(numpy.float64(0.5)), ("0.5", ""))
        text, doubt = stream("{}").text([numpy.int64(2**53 + 1)])
        self.assertEqual(text, "[9007199254740993]")
        self.assertIn("the integer 9007199254740993, which a server keeps as 9007199254740992", doubt)
        points = stream('{"type":"integer"}').points([{"t": numpy.int64(5), "d": numpy.int64(3)}], refuse)
        self.assertEqual((points.times, points.texts), ([5.0], ["3"]))

    def test_point(self) -> None:
        """A point needs a time above 0 and a value; the error says which point it is."""
        self.assertEqual(stream("{}").point(0, {"t": 5, "d": None}, refuse), (5.0, "null"))
        for bad in (None, {}, {"t": 5}, {"d": 5}, {"t": -1, "d": 1}, {"t": True, "d": 1}, {"t": 10**400, "d": 1}):
            with self.subTest(bad=bad), self.assertRaisesRegex(LocalProtocolError, "point 7 for 's'"):
                stream("{}").point(7, bad, refuse)

    @given(
        st.lists(st.tuples(TIMES, VALUES), max_size=4), st.sampled_from(["{}", '{"type":"number"}', '{"minimum":1}'])
    )
    def test_points(self, given: list[tuple[Any, Any]], schema: str) -> None:
        """Many at once become what each becomes by itself, are refused as each is, and as doubtful."""

        def one_by_one() -> list[tuple[float, str]]:
            made = [subject.point(n, {"t": t, "d": d}, doubts.append) for n, (t, d) in enumerate(given)]
            return sorted(made, key=lambda point: point[0])

        subject, outcomes, doubts, told = stream(schema), [], list[str](), list[str]()
        for make in (one_by_one, lambda: list(subject.points(({"t": t, "d": d} for t, d in given), told.append))):
            try:
                outcomes.append(make())
            except (LocalProtocolError, jsonschema.ValidationError) as error:
                outcomes.append([(0.0, str(error))])
        self.assertEqual(*outcomes)
        self.assertEqual(told, doubts)

    def test_points_that_are_none(self) -> None:
        """What is no dict, or lacks something, is named."""
        for bad in ({"t": 1.0}, [1.0, 2], {"t": "1", "d": 1}):
            with self.assertRaisesRegex(LocalProtocolError, "point 1 for 's'"):
                stream("{}").points([{"t": 1.0, "d": 1}, bad], refuse)

    def test_schema_that_cannot_be_used(self) -> None:
        """A schema that only the server can make sense of takes any value, and says so."""
        with self.assertLogs("connectordb.logger", "WARNING"):
            self.assertEqual(stream('{"$ref":"http://example.org/x"}').text(1), ("1", ""))

    def test_document(self) -> None:
        """The schema is given as a dict of one's own."""
        one = stream('{"type":"number"}')
        one.document["type"] = "string"
        self.assertEqual(one.document, {"type": "number"})

    def test_text_of(self) -> None:
        """The server's schema is spelt as ours are; one that cannot be used is left as it is."""
        self.assertEqual(text_of({"schema": '{"type": "number"}'}), '{"type":"number"}')
        self.assertEqual(text_of({"schema": ""}), "{}")
        self.assertEqual(text_of({"schema": '{"type": "nonsense"}'}), '{"type": "nonsense"}')

    def test_comparable(self) -> None:
        """Two texts of one schema are equal; true is no number, and what is no JSON is itself."""
        for one, other, equal in (
            ('{"type":"number","minimum":0}', '{ "minimum": 0.0, "type": "number" }', True),
            ('{"minimum":5,"exclusiveMinimum":true}', '{"minimum":5,"exclusiveMinimum":1}', False),
            ('{"type":"number"}', '{"type":"string"}', False),
            ('{"enum":[1,2]}', '{"enum":[2,1]}', False),
            ("{", "{", True),
            ("{", "{}", False),
        ):
            with self.subTest(one, other=other):
                self.assertIs(comparable(one) == comparable(other), equal)
