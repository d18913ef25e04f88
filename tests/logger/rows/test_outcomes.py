"""Tests of `connectordb.logger.rows.outcomes`."""

from __future__ import annotations

from connectordb.exceptions import ConnectionFailed, NotFound, StorageFull
from connectordb.logger.rows.outcomes import Outcomes
from connectordb.logger.rows.status import Activity, Status
from connectordb.logger.rows.store import Store
from connectordb.protocol.features import Features
from tests.support.case import Case
from tests.support.logger_cases import add


class OutcomesTests(Case):
    """The last failure is in the file, and written only if it is news."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.stream = add(self.store, "a")
        self.outcomes = self.store.outcomes

    def status(self) -> Status:
        return self.store.status(9.0, Activity(False, False, False, None))

    def writes(self) -> int:
        """Return how often the file was changed."""
        with self.store._file.reading() as connection:
            return int(connection.pragma("data_version"))

    def test_stream(self) -> None:
        """A stream's failure is kept with the time at which it began, until the stream is served."""
        self.outcomes.stream_failed(self.stream, NotFound("gone", ref="a1"), 1.0)
        writes = self.writes()
        self.outcomes.stream_failed(self.stream, NotFound("gone", ref="b2"), 2.0)
        self.assertEqual(self.writes(), writes)
        status = self.status().streams["a"]
        self.assertEqual((status.error, status.error_at), ("0 gone (ref a1)", 1.0))
        self.outcomes.stream_failed(self.stream, NotFound("not yours"), 3.0)
        self.assertEqual(self.status().streams["a"].error_at, 3.0)
        self.outcomes.stream_succeeded(self.stream)
        writes = self.writes()
        self.outcomes.stream_succeeded(self.stream)
        self.assertEqual((self.status().streams["a"].error, self.writes()), (None, writes))

    def test_pass(self) -> None:
        """So is that of a pass, and what the server announces."""
        self.outcomes.failed(ConnectionFailed("away"), 1.0)
        self.outcomes.failed(ConnectionFailed("away"), 2.0)
        self.assertEqual((self.status().error, self.status().error_at), ("away", 1.0))
        self.outcomes.succeeded()
        self.outcomes.reached(Features())
        writes = self.writes()
        self.outcomes.succeeded()
        self.outcomes.reached(Features())
        self.assertEqual((self.status().error, self.writes()), (None, writes))

    def test_full(self) -> None:
        """A file that takes nothing any more is no other failure."""

        class Full(Outcomes):
            def _save(self, name: str, value: object) -> None:
                raise StorageFull("no space")

        with self.assertLogs("connectordb.logger", "WARNING"):
            Full(self.store._file).failed(ConnectionFailed("away"), 1.0)
