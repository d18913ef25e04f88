"""Tests of `connectordb.logger.rows.catalogue`."""

from __future__ import annotations

from tests.support.logger_cases import StoreCase


class CatalogueTests(StoreCase):
    """Streams and settings are kept."""

    def test_settings(self) -> None:
        """Settings of any JSON kind are there again."""
        self.store.catalogue.save(apikey="k", data={"a": [1, None]})
        self.store.catalogue.save(apikey="l")
        self.assertEqual(self.store.catalogue.settings(), {"apikey": "l", "data": {"a": [1, None]}})

    def test_eras(self) -> None:
        """An era is found again by who starts anew, nearest first; another boot's is another."""
        era = self.store.catalogue.era
        self.store.points.append(self.stream, 1.0, "1", 1)
        first, second = era("a", 100.0), era("a", 103.0)
        self.assertEqual((first[1], second[1]), (100.0, 103.0))
        self.assertEqual(era("a", 101.4), first)
        self.assertEqual(era("a", 101.6), second)
        self.assertNotIn(era("b", 100.0)[0], (first[0], second[0]))
        self.assertNotIn(era("a", 105.0)[0], (first[0], second[0]))

    def test_eras_that_are_over(self) -> None:
        """Eras of earlier boots go when nothing waits any more, and not before."""
        self.store.catalogue.era("a", 100.0)
        self.store.points.append(self.stream, 1.0, "1", 1)
        self.store.catalogue.era("b", 100.0)
        self.assertEqual(self.boots(), ["a", "b"])
        self.store.notes.clear()
        self.store.catalogue.era("b", 200.0)
        self.assertEqual(self.boots(), ["b", "b"])

    def boots(self) -> list[str]:
        with self.store._file.reading() as connection:
            return [boot for (boot,) in connection.execute("SELECT boot FROM era ORDER BY id")]

    def test_time_known(self) -> None:
        """What a server said is there again."""
        self.assertEqual(self.store.catalogue.time_known(), 0.0)
        self.store.catalogue.save(servertime=1.79e9)
        self.assertEqual(self.store.catalogue.time_known(), 1.79e9)
