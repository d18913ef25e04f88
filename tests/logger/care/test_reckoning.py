"""Tests of `connectordb.logger.care.reckoning`: the numbers of a mended file add up, and none is used again."""

from __future__ import annotations

from typing import Any

from connectordb.logger.care.reckoning import reckon
from connectordb.logger.file.upgrade import open_file
from connectordb.runtime import sqlite
from tests.support.case import Case

BASE = 1 << 40


class ReckonTests(Case):
    """Accepted = confirmed + waiting + set aside + dropped + lost."""

    def setUp(self) -> None:
        super().setUp()
        self.connection = open_file(self.folder() / "a.db")
        self.addCleanup(self.connection.close)

    def stream(self, **numbers: Any) -> None:
        """Add the stream 1, with what its row says."""
        given = {"id": 1, "name": "a", "schema": "{}", **numbers}
        self.connection.execute(
            f"INSERT INTO stream ({', '.join(given)}) VALUES ({', '.join('?' * len(given))})", [*given.values()]
        )

    def rows(self, *numbers: int) -> None:
        """Add rows that wait."""
        for number in numbers:
            self.connection.execute("INSERT INTO point VALUES (?, ?, '1', 3, NULL)", (BASE + number, 1000.0 + number))

    def reckoned(self, *partly: str, names: dict[int, str] | None = None) -> dict[str, Any]:
        """Reckon, check that it adds up, and return the stream's row."""
        with sqlite.transaction(self.connection):
            self.lost, self.in_doubt = reckon(self.connection, set(partly), names or {})
        cursor = self.connection.execute("SELECT * FROM stream")
        columns = [column[0] for column in cursor.description]
        (values,) = cursor.fetchall()
        row = dict(zip(columns, values, strict=True))
        ((waiting,),) = self.connection.execute("SELECT count(*) FROM point WHERE id > ?", (BASE + row["held"],))
        self.assertEqual(
            row["number"] - row["moved"], row["confirmed"] + waiting + row["aside"] + row["dropped"] + row["lost"]
        )
        self.assertGreaterEqual(min(row[name] for name in ("confirmed", "aside", "dropped", "lost")), 0)
        return row

    def test_nothing_missing(self) -> None:
        """What fits stays."""
        self.stream(number=10, confirmed=4, dropped=1, moved=2)
        self.rows(8, 9, 10)
        row = self.reckoned("era", "rejected")
        self.assertEqual((row["number"], row["confirmed"], row["lost"], self.in_doubt), (10, 4, 0, False))
        self.assertEqual(list(self.connection.execute("SELECT DISTINCT era FROM point")), [(0,)])

    def test_missing(self) -> None:
        """What should be there and is not is lost; numbers go on far behind."""
        self.stream(number=10, confirmed=4)
        self.rows(5, 6, 12)
        row = self.reckoned("point")
        self.assertEqual((row["lost"], self.lost, self.in_doubt), (5, 5, True))
        self.assertGreater(row["number"], 1_000_000)
        self.assertEqual((row["noted"], row["sent"], row["last"]), (12, 1012.0, 1012.0))

    def test_come_back(self) -> None:
        """Rows that were confirmed before, and are found again, are confirmed no longer."""
        self.stream(number=10, confirmed=8)
        self.rows(1, 2, 3, 9, 10)
        self.assertEqual(self.reckoned("point")["confirmed"], 5)

    def test_held(self) -> None:
        """What was confirmed and is still there is looked for again."""
        self.stream(number=10, confirmed=8, held=8)
        self.connection.execute(
            "INSERT INTO held VALUES (1, ?, ?, 'http://x', 'k', 'u/d/a', 5, NULL, 0)", (BASE + 7, BASE + 8)
        )
        self.rows(7, 8, 9, 10)
        row = self.reckoned("held")
        self.assertEqual((row["confirmed"], row["held"]), (6, 0))
        self.assertEqual(
            list(self.connection.execute("SELECT first, last, server, path, length FROM note")),
            [(BASE + 7, BASE + 10, "http://x", "u/d/a", None)],
        )

    def test_set_aside(self) -> None:
        """Of what was set aside, too, what is missing is lost."""
        self.stream(number=10, confirmed=4, aside=3)
        self.connection.execute("INSERT INTO rejected VALUES (?, 1.0, '1', NULL, 'why', 2.0)", (BASE + 1,))
        self.rows(8, 9, 10)
        row = self.reckoned("rejected")
        self.assertEqual((row["aside"], row["lost"], self.in_doubt), (1, 2, False))

    def test_gone_on_purpose(self) -> None:
        """Rows that were dropped, moved or set aside do not come back."""
        self.stream(number=10, dropped=2, aside=1)
        self.rows(*range(1, 11))
        self.connection.execute("INSERT INTO fate VALUES (?, ?, 2, NULL)", (BASE + 2, BASE + 4))
        self.connection.execute("INSERT INTO rejected VALUES (?, 1.0, '1', NULL, 'why', 2.0)", (BASE + 7,))
        self.reckoned("point")
        waiting = [id - BASE for (id,) in self.connection.execute("SELECT id FROM point ORDER BY id")]
        self.assertEqual(waiting, [1, 3, 5, 6, 8, 9, 10])

    def test_no_stream(self) -> None:
        """Rows whose stream is lost have one again, called as its index says, or by its number."""
        self.rows(5, 6)
        row = self.reckoned("stream", names={1: "a"})
        self.assertEqual((row["name"], row["schema"], row["number"] - row["moved"]), ("a", "{}", 2))

    def test_no_name(self) -> None:
        """Where no name is left it is made up."""
        self.rows(5)
        self.assertEqual(self.reckoned("stream", names={1: "no name at all"})["name"], "lost-1")
