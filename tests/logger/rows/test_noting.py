"""Tests of `connectordb.logger.rows.noting`."""

from __future__ import annotations

import json
from unittest import mock

from connectordb.logger.records import Coming
from connectordb.logger.rows import noting
from connectordb.logger.rows.noting import Noting
from connectordb.logger.rows.packing import pack
from connectordb.logger.rows.store import Store
from tests.support.case import Case
from tests.support.logger_cases import add, noted, waiting


class NotingTests(Case):
    """A batch is packed before the transaction that notes it, and holds what is in the file in that."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.file = self.store._file
        self.stream = add(self.store, "a")
        for t in (10.0, 20.0, 30.0):
            self.store.points.append(self.stream, t, str(t), 0)
        patch = mock.patch.object(noting, "pack", wraps=pack)
        self.pack = patch.start()
        self.addCleanup(patch.stop)

    def coming(self, rows: int) -> Coming:
        return Coming(noted(self.stream, waiting(self.store, self.stream)), rows, 1000)

    def begin(self, batch: Noting) -> list[float]:
        """Note a batch; return the times in it."""

        def work(connection: noting.sqlite.Connection) -> noting.Begun | None:
            batch.look(connection)
            self.store._file.tails.seal(connection, self.stream)  # as taking the batch before off does
            return batch.begin(connection)

        begun = self.file.write(work)
        assert begun is not None
        self.assertEqual(self.store.notes.of(self.stream), begun[0])
        self.assertEqual((begun[0].first, begun[0].last), (begun[1].first, begun[1].last))
        return [point["t"] for point in json.loads(begun[1].text)]

    def test_packed_once(self) -> None:
        """What nobody changed is not packed again, though points were added behind it."""
        batch = Noting(self.file, self.coming(2))
        self.store.points.append(self.stream, 40.0, "40.0", 0)
        self.assertEqual(self.begin(batch), [10.0, 20.0])
        self.assertEqual(self.pack.call_count, 1)

    def test_changed_meanwhile(self) -> None:
        """What was put behind an earlier point since it was packed, and has another id now, is not in the note."""
        batch = Noting(self.file, self.coming(3))
        self.store.points.append_at(self.stream, 25.0, "25.0", 100.0)
        self.assertEqual(self.begin(batch), [10.0, 20.0])
        self.assertEqual(self.pack.call_count, 2)

    def test_gone_meanwhile(self) -> None:
        """Nothing is noted of rows that were dropped since."""
        batch = Noting(self.file, self.coming(2))
        self.store.notes.clear()

        def work(connection: noting.sqlite.Connection) -> noting.Begun | None:
            batch.look(connection)
            return batch.begin(connection)

        self.assertIsNone(self.file.write(work))
        self.assertIsNone(self.store.notes.of(self.stream))

    def test_nothing_comes(self) -> None:
        """Without a batch nothing is read or written."""
        batch = Noting(self.file, None)
        with self.file.reading() as connection:
            batch.look(connection)
            self.assertIsNone(batch.begin(connection))
        self.pack.assert_not_called()
