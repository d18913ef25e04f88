"""Points while they come."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from connectordb.client.points.coming import coming, coming_arrays
from connectordb.client.terms import Timeout, timeouts
from connectordb.exceptions import ConnectionFailed, InvalidRequest, ServerError, TimedOut
from connectordb.protocol import json_text
from connectordb.protocol.points import read_point
from tests.client.calls.test_pieces import REQUEST, TEXT, PiecesCase
from tests.support import strategies
from tests.support.wire import Step, answer, chunked, refuse

POINTS = json.loads(TEXT)


class Coming(PiecesCase):
    """From a server that does what it is told."""

    def coming(self, *steps: Step) -> Iterator[dict[str, Any]]:
        """Return the points of what the server does."""
        self.peer.steps[:] = steps
        return coming(self.session, REQUEST)

    def test_at_once(self) -> None:
        """The first are there before the server has made the last, packed or not; each as it is said."""
        packer = zlib.compressobj(wbits=31)
        packed = [packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in (TEXT[:100], TEXT[100:])]
        packed[1] += packer.flush()
        named = {"Content_Encoding": "gzip"}
        for pieces, headers in (([TEXT[:100], TEXT[100:]], {}), (packed, named)):
            wanted = threading.Event()
            found = self.coming(
                chunked(*pieces, before=lambda number, wanted=wanted: number and wanted.wait(5), **headers)
            )
            self.assertEqual(next(found), POINTS[0])
            wanted.set()
            self.assertEqual(list(found), POINTS[1:])

    @settings(max_examples=30, deadline=None)
    @given(strategies.datapoints(), st.integers(1, 50))
    def test_values(self, points: list[dict[str, Any]], size: int) -> None:
        """Every value is what it is when the answer is read whole, wherever it was cut on its way."""
        text = json_text.dumps([point if point["d"] is not None else {"t": point["t"]} for point in points])
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        expected = [read_point(each) for each in json_text.loads(text)]
        self.assertEqual(list(self.coming(chunked(*pieces))), expected)
        self.peer.steps[:] = [chunked(*pieces)]
        many = coming_arrays(self.session, REQUEST)
        self.assertEqual(
            [point for array in many for point in (json_text.loads(array) if isinstance(array, bytes) else array)],
            expected,
        )

    def test_no_answer(self) -> None:
        """What is none is told as ever; if points came before, it says how many."""
        for step, kind, why in (
            (refuse(403, "no script"), InvalidRequest, "POST /query/merge: 403 no script"),
            (answer(b"<html>"), ServerError, f"is {self.peer.url} the address of a ConnectorDB server"),
            (answer(b""), ServerError, "the answer was empty"),
            (answer(b"[1]"), ServerError, "1 stands where a datapoint should"),
            (answer(TEXT[:-1]), ServerError, r"it ends too early.*\(after 40 points\)"),
            (answer(TEXT + b"]"), ServerError, r"after the end of the array.*\(after 40 points\)"),
            (answer(b"abc", Content_Encoding="br"), ConnectionFailed, "said to be packed with br"),
        ):
            with self.subTest(why), self.assertRaisesRegex(kind, why) as caught:
                list(self.coming(step))
            error = caught.exception
            self.assertEqual((error.attempts, error.stats.requests), (1, 1))

    def test_cut_where_it_is_packed(self) -> None:
        """Of what was packed and then cut no point is handed on that is not there whole; and it is no end."""
        packer = zlib.compressobj(wbits=31)
        packed = packer.compress(TEXT) + packer.flush(zlib.Z_SYNC_FLUSH)
        found = []
        with self.assertRaisesRegex(
            ConnectionFailed, rf"POST {self.peer.url}/api/v1/query/merge: the connection broke: .* was cut on its way"
        ):
            for point in self.coming(answer(packed, Content_Encoding="gzip")):
                found.append(point)
        self.assertEqual(found, POINTS[:-1])

    def test_figures(self) -> None:
        """It is one call, which read so many points; who lets go early has not failed."""
        before = self.session.statistics.snapshot()
        with self.session.statistics.measure() as here:
            list(self.coming(chunked(TEXT[:99], ended=False), chunked(TEXT)))
        left = self.coming(chunked(TEXT))
        for _ in range(3):
            next(left)
        left.close()  # type: ignore[attr-defined]
        self.peer.steps[:] = [chunked(TEXT)]
        with self.session.statistics.measure() as there:
            self.assertEqual(b"".join(coming_arrays(self.session, REQUEST)).replace(b"][", b","), TEXT)
        self.assertEqual(there.points_read, 40)
        found = self.session.statistics.snapshot() - before
        self.assertEqual((here.calls, here.requests, here.retries, here.points_read, here.failures), (1, 2, 1, 40, 0))
        self.assertEqual((found.calls, found.points_read, found.failures), (3, 83, 0))

    def test_slow_taker(self) -> None:
        """The time of a call is that in which the network is waited for, not that in which whoever takes points does something else."""
        found = self.coming(chunked(TEXT[:99], TEXT[99:]))
        with self.session.chosen(timeout=0.8):
            next(found)
        threading.Event().wait(0.9)
        self.assertEqual(len(list(found)), 39)

    def test_slow_server(self) -> None:
        """An answer that has begun may take any time as long as it goes on, unless somebody has said how long a call may."""

        def late(number: int) -> None:
            threading.Event().wait(0.4 if number else 0.0)

        step = chunked(*[TEXT[at : at + 99] for at in range(0, len(TEXT), 99)], before=late)
        with mock.patch.object(timeouts, "_WHOLE", 0.1):
            for total in (None, 0.7):
                with self.session.chosen(timeout=Timeout(0.4, 1.2, 0.2, 0.2, total), retry=1):
                    found = self.coming(step)
                    if total is None:
                        self.assertEqual(list(found), POINTS)
                        continue
                    with self.assertRaisesRegex(TimedOut, r"that there were for the whole.*\(after \d+ points\)"):
                        list(found)
