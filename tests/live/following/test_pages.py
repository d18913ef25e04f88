"""Tests of `connectordb.live.following.pages`."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from connectordb.live.following.pages import BYTES, FIRST, PAGE, Pages


class PagesTests(unittest.TestCase):
    """How many points are read at once."""

    def test_small_points(self) -> None:
        """Of small points there are soon as many as there may be; a page that is not full has none grow."""
        pages, sizes = Pages(PAGE), []
        for _ in range(6):
            sizes.append(pages.size)
            pages.came(pages.size, 40 * pages.size)
        self.assertEqual(sizes, [FIRST, 10 * FIRST, 100 * FIRST, PAGE, PAGE, PAGE])
        pages.came(3, 120)
        self.assertEqual(pages.size, PAGE)
        pages = Pages(PAGE)
        pages.came(FIRST - 1, 1000)
        pages.came(0, 2)
        self.assertEqual(pages.size, FIRST)

    def test_large_points(self) -> None:
        """Of large ones there are few; one at least, however large it is."""
        pages = Pages(PAGE)
        pages.came(FIRST, FIRST * 2**20)
        self.assertEqual(pages.size, 8)
        pages.came(8, 8 * 2**30)
        self.assertEqual(pages.size, 1)
        pages.came(1, 100)
        self.assertEqual(pages.size, 10)

    def test_not_in_time(self) -> None:
        """What did not come in time is asked for in smaller parts."""
        pages = Pages(PAGE)
        for _ in range(9):
            pages.failed()
        self.assertEqual(pages.size, 1)

    def test_one_by_one(self) -> None:
        """Commands are read one by one."""
        pages = Pages(1)
        pages.came(1, 5)
        self.assertEqual(pages.size, 1)

    @given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 2**34)), max_size=20), st.integers(1, PAGE))
    def test_bounds(self, reads: list[tuple[int, int]], most: int) -> None:
        """There is always one to be read, and never more than there may be, or than the last read's bytes allow."""
        pages = Pages(most)
        for number, size in reads:
            pages.came(number, size)
            self.assertTrue(1 <= pages.size <= most)
            if number and size:
                self.assertTrue(pages.size == 1 or pages.size * size <= BYTES * number)
