"""A range as two indices."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol import indices, refusals, rest
from connectordb.protocol.json_text import dumps
from connectordb.protocol.paths import Path
from connectordb.protocol.reply import Reply

from ..support.case import Case

T = TypeVar("T")

PATH = Path.parse("a/b/c")


class Held:
    """A stream, by the rules of ``docs/topics/wire.rst``, "Ranges"."""

    def __init__(self, times: list[float]) -> None:
        self.points = [{"t": t, "d": number} for number, t in enumerate(times)]
        self.requests = 0

    def __call__(self, request: rest.Request[T]) -> T:
        """Answer."""
        self.requests += 1
        if "q" in request.parameters:
            return request.read(Reply(200, str(len(self.points)).encode()))
        i1, i2 = int(request.parameters["i1"]), int(request.parameters["i2"])
        if i1 > len(self.points):
            return request.read(Reply(403, dumps({"code": 403, "msg": refusals.INVALID_RANGE, "ref": "x"})))
        return request.read(Reply(200, dumps(self.points[i1:i2])))

    def range(self, fields: dict[str, Any]) -> list[int]:
        """Return the indices that a server would answer."""
        length = len(self.points)
        if "i1" in fields or "i2" in fields:
            i1, i2 = fields.get("i1", 0), fields.get("i2", 0)
            first = max(0, i1 + length) if i1 < 0 else i1
            last = i2 + length if i2 <= 0 else i2
            return list(range(length))[first : max(0, last)]
        t1, t2, limit = fields.get("t1", 0.0), fields.get("t2", 0.0), fields.get("limit", 0)
        found = [number for number, p in enumerate(self.points) if not (0 < t1 >= p["t"]) and not (0 < t2 < p["t"])]
        return found[:limit] if limit else found


TIMES = st.lists(st.sampled_from([1.0, 2.0, 3.0, 5.0]), max_size=9).map(sorted)
BY_INDEX = st.fixed_dictionaries({}, optional={"i1": st.integers(-12, 12), "i2": st.integers(-12, 12)})
BY_TIME = st.fixed_dictionaries(
    {},
    optional={
        "t1": st.sampled_from([0.0, 0.5, 1.0, 2.0, 6.0]),
        "t2": st.sampled_from([0.0, 0.5, 2.0, 4.0, 6.0]),
        "limit": st.integers(0, 5),
    },
)


class Spans(Case):
    """Where a range begins and ends."""

    @given(TIMES, BY_INDEX | BY_TIME)
    def test_span(self, times: list[float], fields: dict[str, Any]) -> None:
        """What lies between the indices is what a server answers to the range."""
        held = Held(times)
        first, last = indices.span(held, PATH, fields)
        self.assertEqual(list(range(first, last)), held.range(fields))

    def test_requests(self) -> None:
        """Without a time one request is enough; with one there are a few, however long the stream."""
        held = Held([float(number) for number in range(1, 100_001)])
        self.assertEqual((indices.span(held, PATH, {"i1": -10}), held.requests), ((99_990, 100_000), 1))
        self.assertEqual(indices.span(held, PATH, {"t1": 70_000.0, "limit": 5}), (70_000, 70_005))
        self.assertLess(held.requests, 25)

    def test_shorter_meanwhile(self) -> None:
        """A stream that lost its points while its times were looked at ends where it ends."""
        held = Held([1.0, 2.0])
        self.assertIsNone(indices.points_between(held, PATH, 5, 6))
        self.assertLessEqual(indices.index_after(held, PATH, 2.0, 50), 50)
