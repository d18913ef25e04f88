"""Tests of `connectordb.live.handing.pushing`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import PipeScriptError
from connectordb.live.handing.pushing import Pushed
from connectordb.pipescript import Script
from tests.support.case import SOON, Case

POINTS = [{"t": float(t), "d": t * 7 % 10} for t in range(20)]


class PushedTests(Case):
    """A script over what is pushed."""

    @given(
        script=st.sampled_from(
            ["if $ > 4", "sum", "$ + 1 | mean", "if first", "changed", "if count % 3 == 0", "if last", "i < 3"]
        ),
        cuts=st.lists(st.integers(0, 20), max_size=5),
    )
    def test_as_one_sequence(self, script: str, cuts: list[int]) -> None:
        """However points are cut into pushes: what comes is what the script makes of all of them, as far as it knows by then."""
        try:
            run = Script(script)
        except PipeScriptError:
            return
        pushed = Pushed(run)
        try:
            edges = [0, *sorted(cuts), 20]
            got = [
                made
                for first, after in zip(edges, edges[1:], strict=False)
                for made in pushed.push(POINTS[first:after])
            ]
        finally:
            pushed.close()
        whole = list(run(POINTS))
        self.assertEqual(got, whole[: len(got)])
        self.assertGreaterEqual(len(got), len(whole) - 1, "but for the last, which waits for the end")

    def test_fails(self) -> None:
        """What the script raises is raised here; the next points begin anew."""
        pushed = Pushed(Script("sum"))
        self.addCleanup(pushed.close)
        self.assertEqual([point["d"] for point in pushed.push([{"t": 1, "d": 1}, {"t": 2, "d": 2}])], [1, 3])
        with self.assertRaises(PipeScriptError):
            pushed.push([{"t": 3, "d": "three"}])
        self.assertEqual([point["d"] for point in pushed.push([{"t": 4, "d": 4}])], [4])
        pushed.begin_anew()
        self.assertEqual([point["d"] for point in pushed.push([{"t": 5, "d": 5}])], [5])

    def test_wants_no_more(self) -> None:
        """A script that has ended makes nothing of what comes after."""

        def two(points: Iterable[Any]) -> Iterator[Any]:
            for number, point in enumerate(points):
                yield point
                if number:
                    return

        pushed = Pushed(two)
        self.addCleanup(pushed.close)
        self.assertEqual([len(pushed.push(POINTS[n : n + 1])) for n in range(4)], [1, 1, 0, 0])

    def test_close(self) -> None:
        """It ends its thread, also while a push runs, and may be called twice."""
        begun, go_on = threading.Event(), threading.Event()

        def slow(points: Iterable[Any]) -> Iterator[Any]:
            for point in points:
                begun.set()
                self.assertTrue(go_on.wait(SOON))
                yield point

        pushed = Pushed(slow)
        pushing = threading.Thread(target=pushed.push, args=(POINTS[:2],))
        pushing.start()
        self.wait(begun)
        pushed.close()
        pushed.close()
        go_on.set()
        pushing.join(SOON)
        self.assertFalse(pushing.is_alive())
        self.assertEqual(pushed.push(POINTS), [], "nothing begins anew")
