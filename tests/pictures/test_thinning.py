"""As many points as pixels can show."""

from __future__ import annotations

from array import array
from math import isnan, nan

from hypothesis import given
from hypothesis import strategies as st

from connectordb.pictures import Kind, Series, thinned
from connectordb.pictures.thinning import parts

from ..support.case import Case

_TIMES = st.lists(st.integers(0, 50).map(float), max_size=60).map(sorted)


def series(times: list[float], values: list[float]) -> Series:
    """Return numbers."""
    return Series("", "", Kind.NUMBERS, array("d", times), array("d", values))


class Thinning(Case):
    """What remains."""

    def test_few(self) -> None:
        """What fits is returned as it is."""
        few = series([1, 2, 3], [1, nan, 2])
        self.assertIs(thinned(few, 1)[0], few.times)

    def test_peaks(self) -> None:
        """Of many points no peak is lost, and no more than four remain for each column."""
        values = [0.0] * 100_000
        values[33_333], values[77_777] = 9.0, -9.0
        times, found = thinned(series([float(t) for t in range(100_000)], values), 100)
        self.assertLessEqual(len(found), 400)
        self.assertEqual((max(found), min(found)), (9.0, -9.0))
        self.assertLess(abs(times[found.index(9.0)] - 33_333), 1000)
        self.assertEqual(list(times), sorted(times))

    def test_gaps(self) -> None:
        """A null is no number, wherever it stands; a stretch of nulls stays a gap."""
        values = [nan if 40_000 <= number < 60_000 or number % 50 == 0 else 1.0 for number in range(100_000)]
        times, found = thinned(series([float(t) for t in range(100_000)], values), 100)
        self.assertEqual({value for value in found if not isnan(value)}, {1.0})
        inside = [value for t, value in zip(times, found, strict=True) if 41_000 < t < 59_000]
        self.assertTrue(inside and all(map(isnan, inside)))

    @given(_TIMES, st.integers(1, 9))
    def test_parts(self, times: list[float], columns: int) -> None:
        """Parts are whole, in order, not empty, no more than columns, and each no wider than one."""
        found = list(parts(array("d", times), columns))
        self.assertEqual([index for begin, end in found for index in range(begin, end)], list(range(len(times))))
        self.assertLessEqual(len(found), columns)
        for begin, end in found:
            self.assertLess(begin, end)
            self.assertLessEqual(times[end - 1] - times[begin], (times[-1] - times[0]) / columns + 1e-9)
