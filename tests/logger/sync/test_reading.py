"""Tests of `connectordb.logger.sync.reading`."""

from __future__ import annotations

import json
import math
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import InvalidRequest, PermissionDenied
from connectordb.logger.records import Note
from connectordb.logger.sync import reading
from connectordb.logger.sync.reading import Reading
from connectordb.protocol import rest
from connectordb.protocol.features import Features
from connectordb.protocol.paths import Path
from connectordb.protocol.reply import Reply
from tests.support.case import Case

PATH = Path.parse("u/d/s")


class Indexed:
    """A server that holds one stream, of which some points cannot be decoded: the answers of an original one."""

    address = apikey = ""
    features = Features()

    def __init__(self, times: list[float], damaged: frozenset[int] = frozenset()) -> None:
        self.times, self.damaged = times, damaged

    def call(self, request: rest.Request[Any]) -> Any:
        """Answer a length or a range of indices."""
        if request.parameters.get("q") == "length":
            return request.read(Reply(200, str(len(self.times)).encode()))
        i1, i2 = int(request.parameters["i1"]), int(request.parameters["i2"])
        i1, i2 = (i1 + len(self.times) if i1 < 0 else i1), (i2 if i2 > 0 else len(self.times) + i2)
        if i1 > min(i2, len(self.times)):
            return request.read(Reply(403, b'{"code":403,"msg":"Invalid index range.","ref":"1"}'))
        if self.damaged & set(range(i1, i2)):
            text = b'{"code":403,"msg":"msgpack: invalid code 1 decoding bytes length","ref":"1"}'
            return request.read(Reply(403, text))
        return request.read(Reply(200, json.dumps([{"t": t} for t in self.times[i1:i2]]).encode()))


def note(length: int, before: float | None) -> Note:
    return Note(1, 1, 1, "", "", "", length, before)


class ReadingTests(Case):
    """A stream is read from where it ended before."""

    @given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 5), st.frozensets(st.integers(0, 11), max_size=3))
    def test_from_the_length(self, number: int, length: int, page: int, damaged: frozenset[int]) -> None:
        """Every point from the noted length on is read, in pages of any size, but those that cannot be."""
        length = min(length, number)
        damaged = frozenset(at for at in damaged if length <= at < number)
        server = Indexed([float(n + 1) for n in range(number)], damaged)
        with mock.patch.object(reading, "DATAPOINT_INSERT_LIMIT", page):
            pages = list(Reading(server, PATH, note(length, float(length) or None), length + 0.5))
        times = [point["t"] for page in pages for point in page if not math.isnan(point["t"])]
        expected = [float(n + 1) for n in range(max(0, length - 1), number) if n not in damaged]
        self.assertEqual(times, expected)

    def test_made_anew(self) -> None:
        """If the point before is not the one that was noted, the stream is read from the batch's first time on."""
        for times in ([], [5.0], [5.0, 6.0, 7.0, 8.0], [float(n) for n in range(1, 50)]):
            for earliest in (0.0, 5.0, 6.5, 48.0, 99.0):
                with self.subTest(times=times, earliest=earliest):
                    found = Reading(Indexed(times), PATH, note(3, 3.25), earliest)
                    read = [point["t"] for page in found for point in page]
                    self.assertEqual(read, [t for t in times if t >= earliest])
                    self.assertFalse(found.anchored)

    def test_anchor_that_is_no_older(self) -> None:
        """A point at the batch's own time may be another writer's in a stream that was made anew, behind the batch."""
        found = Reading(Indexed([10.0, 15.0]), PATH, note(2, 15.0), 10.0)
        self.assertEqual([point["t"] for page in found for point in page], [10.0, 15.0])

    def test_end(self) -> None:
        """The end is the length and the last time."""
        self.assertEqual(reading.end_of(Indexed([]), PATH), (0, None))
        self.assertEqual(reading.end_of(Indexed([1.0, 2.5]), PATH), (2, 2.5))
        self.assertEqual(reading.newest_time(Indexed([1.0, 2.5]), PATH), 2.5)
        self.assertEqual(reading.newest_time(Indexed([]), PATH), -math.inf)

    def test_denied(self) -> None:
        """What is refused for another reason is told."""

        class Refusing(Indexed):
            def call(self, request: rest.Request[Any]) -> Any:
                return request.read(Reply(403, b'{"code":403,"msg":"Can\'t access this resource.","ref":"1"}'))

        with self.assertRaises((PermissionDenied, InvalidRequest)):
            list(Reading(Refusing([]), PATH, note(0, None), 0.0))
