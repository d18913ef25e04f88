"""The stream in which answers are recorded."""

from __future__ import annotations

import time

from connectordb.exceptions import ConnectionFailed, InvalidRequest, LocalProtocolError
from connectordb.live.downlinks.companion import Companion
from connectordb.protocol import answers
from connectordb.protocol.answers import Answer
from tests.support.command_cases import CommandCase


class CompanionTests(CommandCase):
    """Making it."""

    def setUp(self) -> None:
        super().setUp()
        self.records = self.device()[f"{self.stream.name}_answers"]
        self.companion = Companion(self.line.server(), self.path)

    def test_made_once(self) -> None:
        """It is made by whoever comes first, says what it is, and takes records alone."""
        self.companion.prepare()
        self.companion.prepare()
        self.assertEqual(self.records.datatype, answers.DATATYPE)
        self.assertEqual(self.records.schema, answers.SCHEMA)
        self.assertFalse(self.records.downlink)
        self.records.insert(Answer(1, outcome="refused", reason="why").value())
        with self.assertRaises(InvalidRequest):
            self.records.insert("no record")

    def test_another(self) -> None:
        """A stream of somebody's own is left as it is."""
        self.records.create({}, datatype="mine")
        with self.assertRaisesRegex(LocalProtocolError, "datatype is 'mine'"):
            self.companion.prepare()

    def test_away(self) -> None:
        """Without a server that is the error."""
        self.line.reading = ["away"]
        with self.assertRaises(ConnectionFailed):
            self.companion.prepare()

    def test_owed(self) -> None:
        """A record is owed to it, of the present."""
        owed = self.companion.owed(Answer(1))
        self.assertEqual(str(owed.path), self.records.path)
        self.assertAlmostEqual(owed.points[0]["t"], time.time(), delta=5)
        self.assertEqual(owed.points[0]["d"]["command"], 1)
