"""Texts as rows of bars."""

from __future__ import annotations

from array import array

from connectordb.pictures import Kind, Row, Series, rows

from ..support.case import Case


def made(*texts: str | None) -> Series:
    """Return texts, a second apart."""
    return Series("", "", Kind.TEXTS, array("d", range(len(texts))), list(texts))


class Rows(Case):
    """When what held."""

    def test_held(self) -> None:
        """A text holds until another comes, or a null; the last one until its own point; the most frequent is first."""
        self.assertEqual(
            rows(made("a", "b", "b", None, "a", "b"), 1000),
            [Row("b (3)", [(1, 3), (5, 5)]), Row("a (2)", [(0, 1), (4, 5)])],
        )

    def test_none(self) -> None:
        """Without points, or with nulls only, there is no row; of one point there is a bar without a length."""
        self.assertEqual(rows(made(), 10), [])
        self.assertEqual(rows(made(None, None), 10), [])
        self.assertEqual(rows(made("a"), 10), [Row("a (1)", [(0, 0)])])

    def test_many_texts(self) -> None:
        """Of too many texts the rarest share a row, which says how many they are."""
        found = rows(made(*"aab", *(f"text {number}" for number in range(30))), 1000)
        self.assertEqual(len(found), 12)
        self.assertEqual(found[0].name, "a (2)")
        self.assertEqual(found[-1].name, "21 others (21)")
        self.assertEqual(found[-1].bars, [(12, 32)])

    def test_closer_than_pixels(self) -> None:
        """What is closer together than pixels is one bar, and a text that holds over many of them is as long as it is."""
        quick = rows(made(*["on", "off"] * 50_000, *["on"] * 20_000, "off"), 100)
        self.assertEqual([row.name for row in quick], ["on (70,000)", "off (50,001)"])
        self.assertEqual(quick[0].bars, [(0, 120_000)])
        self.assertEqual(quick[1].bars[-1], (118_800, 120_000))  # a column of pixels
        self.assertLess(abs(quick[1].bars[0].end - 100_000), 1300)
