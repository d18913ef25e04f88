"""The log that does not grow for ever."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from unittest import mock

import apsw

from connectordb.runtime.sqlite import connect, connect_to_read
from connectordb.server.storage import log as log_module
from connectordb.server.storage.log import Log

from ...support.case import Case
from ...support.clock import SteppedClock

_LONG = 1_000_000


class Shortening(Case):
    """A log that readers never let go of is begun anew all the same, and nobody waits for long."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder() / "file.db"
        self.clock = SteppedClock()
        self.connection = connect(self.path)
        self.addCleanup(self.connection.close)
        self.connection.execute("CREATE TABLE things (thing BLOB)")

    def write(self, size: int = 100_000) -> None:
        """Write something."""
        self.connection.execute("UPDATE things SET thing = randomblob(?)", (size,))
        self.connection.execute(
            "INSERT INTO things SELECT randomblob(?) WHERE NOT EXISTS (SELECT * FROM things)", (size,)
        )

    @property
    def size(self) -> int:
        """How long the log is."""
        return Path(f"{self.path}-wal").stat().st_size

    def test_views_without_a_gap(self) -> None:
        """While one view follows the other, each begun before the last one ends."""
        log = Log(self.connection, str(self.path), _LONG, self.clock)
        stop, begun = threading.Event(), threading.Event()
        largest = 0
        reading = threading.Thread(target=self.read, args=(stop, begun))
        reading.start()
        try:
            self.assertTrue(begun.wait(10))
            for _ in range(60):
                self.write()
                self.clock.advance(60)
                log.shorten()
                largest = max(largest, self.size)
        finally:
            stop.set()
            reading.join()
        self.assertGreater(largest, _LONG)
        self.assertLess(largest, 2 * _LONG)

    def read(self, stop: threading.Event, begun: threading.Event) -> None:
        """Have one view or two open at each moment."""
        with closing(connect_to_read(self.path)) as one, closing(connect_to_read(self.path)) as other:
            while not stop.is_set():
                for mine, yours in ((one, other), (other, one)):
                    mine.execute("BEGIN; SELECT count(*) FROM things").fetchall()
                    if yours.in_transaction:
                        yours.execute("ROLLBACK")
                begun.set()

    def test_long_view(self) -> None:
        """A view that does not end is not waited for: it is tried again later."""
        log = Log(self.connection, str(self.path), _LONG, self.clock)
        self.write()
        with closing(connect_to_read(self.path)) as reader, mock.patch.object(log_module, "_PATIENCE", 10):
            reader.execute("BEGIN; SELECT count(*) FROM things").fetchall()
            for _ in range(15):
                self.write()
            log.shorten()
            self.write()
            self.assertGreater(self.size, _LONG)
            reader.execute("ROLLBACK")
        self.clock.advance(60)
        log.shorten()
        for _ in range(10):
            self.write()
        self.assertLess(self.size, 2 * _LONG)

    def test_not_yet(self) -> None:
        """A short log is left alone, and not looked at again at once, one that was seen to a moment ago too; what goes wrong is told and waits."""
        log = Log(self.connection, str(self.path), _LONG, self.clock)
        connection = mock.Mock(set_busy_timeout=mock.Mock(), execute=mock.Mock(side_effect=apsw.IOError("broken")))
        log._connection = connection
        log.shorten()
        connection.execute.assert_not_called()
        for _ in range(15):
            self.write()
        log.shorten()
        connection.execute.assert_not_called()
        self.clock.advance(1)
        with self.assertLogs(log_module.log, "WARNING") as logged:
            log.shorten()
        log.shorten()
        connection.execute.assert_called_once()
        self.assertIn("will try again", logged.output[0])
