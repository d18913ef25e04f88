"""Tests of `connectordb.logger.lines`: lines are logged, many with one flush. (What lines there may be: tests.cli.test_log.)"""

from __future__ import annotations

from unittest import mock

from connectordb.exceptions import StreamNotAdded
from connectordb.logger import Lines, Logger
from tests.support.case import Case


class LinesTests(Case):
    """What was taken is on the disk once it is settled."""

    def setUp(self) -> None:
        super().setUp()
        self.logger = Logger(self.folder() / "a.db", durability="normal")
        self.addCleanup(self.logger.close)
        self.logger.addStream_force("s", {"type": "number"})

    def test_settle(self) -> None:
        """One flush for all that was taken, none for nothing."""
        lines = Lines(self.logger, "s")
        with mock.patch.object(lines._store, "flush") as flush:
            lines.settle()
            self.assertEqual(flush.call_count, 0)
            for number in range(5):
                lines.take(b"%d" % number)
            lines.settle()
            lines.settle()
            self.assertEqual(flush.call_count, 1)
        self.assertEqual((lines.taken, len(self.logger)), (5, 5))

    def test_refused(self) -> None:
        """What cannot be logged is not, and says why."""
        lines = Lines(self.logger, "s")
        for line, why in ((b"x", "JSON"), (b'"x"', "schema refuses it: 'x' is not of type"), (b"\xff", "")):
            with self.assertRaisesRegex(ValueError, why):
                lines.take(line)
        self.assertEqual((lines.taken, len(self.logger)), (0, 0))

    def test_times(self) -> None:
        """A time is seconds or ISO 8601 text; words are none, as data have no present."""
        lines = Lines(self.logger, "s", "point")
        lines.take(b'{"t": "2026-03-01T12:00Z", "d": 1}')
        lines.take(b'{"t": 1772366401, "d": 2}')
        for line in (b'{"t": "yesterday", "d": 3}', b'{"t": "5", "d": 3}'):
            with self.assertRaisesRegex(ValueError, "is no time: expected seconds"):
                lines.take(line)
        for line, why in (
            (b'{"t": 1772366401000, "d": 3}', "milliseconds"),
            (b'{"t": 1772366402, "d": 9007199254740993}', "integer"),
        ):
            with self.assertRaisesRegex(ValueError, f"it has .*{why}"):
                lines.take(line)
        self.assertEqual(lines.taken, 2)

    def test_no_stream(self) -> None:
        """The stream must be there."""
        with self.assertRaises(StreamNotAdded):
            Lines(self.logger, "t")
