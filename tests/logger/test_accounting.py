"""Tests of `connectordb.logger.accounting`."""

from __future__ import annotations

from typing import Any

from connectordb.exceptions import LocalProtocolError, LoggerError, StreamNotAdded
from tests.support.fault_proxy import Fault
from tests.support.logger_cases import OpenCase


class RejectedTests(OpenCase):
    """What is set aside is told, and may be tried again or dropped."""

    def setUp(self) -> None:
        super().setUp()
        self.stream = self.new_stream("n", {"type": "number"})
        self.told: list[dict[str, Any]] = []
        self.logger = self.open(onreject=self.told.extend)
        self.logger.addStream_force("n")

    def test_refused(self) -> None:
        """A point that the server refuses is told, and goes with a new time once the server takes it."""
        for value in (1, "text", 3):
            self.logger.insert("n", value)
        self.logger.sync()
        (point,) = self.logger.rejected()
        self.assertEqual(self.told, [point])
        self.assertEqual((point["stream"], point["d"]), ("n", "text"))
        self.assertEqual(self.logger.rejected("n"), [point])
        with self.assertRaisesRegex(LoggerError, "restamp=True"):
            self.logger.retry_rejected(point["id"])
        self.stream.set({"schema": "{}"})
        self.assertEqual(self.logger.retry_rejected(stream="n", restamp=True), 1)
        self.logger.sync()
        self.assertEqual((self.stored("n"), self.logger.rejected(), len(self.logger)), ([1, 3, "text"], [], 0))

    def test_callback_fails(self) -> None:
        """What `onreject` raises is reported, and the rest goes on."""

        def fail(points: object) -> None:
            raise RuntimeError("my own mistake")

        self.logger.onreject = fail
        for value in ("text", 3):
            self.logger.insert("n", value)
        with self.assertLogs("connectordb.logger", "ERROR") as logged:
            self.logger.sync()
        self.assertIn("my own mistake", "".join(logged.output))
        self.assertEqual(self.stored("n"), [3])
        self.assertEqual(self.logger.drop_rejected([point["id"] for point in self.logger.rejected()]), 1)

    def test_unsettled(self) -> None:
        """What may have arrived at a server that is gone for good is set aside when that is said, and the rest goes on."""
        for value in (1, 2):
            self.logger.insert("n", value)
        self.proxy.script(*[Fault.LOST] * 3)
        self.logger.sync()
        self.proxy.close()
        self.logger.serverurl = self.url
        self.logger.insert("n", 3)
        with self.assertLogs("connectordb.logger", "WARNING") as logged:
            self.logger.sync()
        self.assertIn("set_aside_unsettled()", "".join(logged.output))
        self.assertEqual((self.stored("n"), len(self.logger)), ([], 3))
        self.assertEqual(self.logger.set_aside_unsettled("n"), len(self.told))
        self.assertTrue(self.told)
        self.assertEqual([point["d"] for point in self.told], [1, 2][: len(self.told)])
        self.assertEqual(self.logger.set_aside_unsettled(), 0)
        self.logger.sync()
        self.assertEqual(self.stored("n"), [1, 2, 3][len(self.told) :])
        status = self.logger.status()
        self.assertEqual(status.accepted, status.confirmed + status.waiting + status.aside + status.dropped)

    def test_older(self) -> None:
        """A point that `insert_many` finds too old is told, too."""
        self.logger.insert("n", 1)
        self.logger.sync()
        self.logger.insert_many({"n": [{"t": 5.0, "d": 2}]})
        self.assertEqual([point["t"] for point in self.told], [5.0])

    def test_no_ids(self) -> None:
        """What is no id, or no stream of the Logger, is refused."""
        for act in (self.logger.retry_rejected, self.logger.drop_rejected):
            for bad in ("5", [True], [1.5]):
                with self.assertRaisesRegex(LocalProtocolError, "no id of a point"):
                    act(bad)  # type: ignore[arg-type]
            with self.assertRaises(StreamNotAdded):
                act(stream="other")
        with self.assertRaises(StreamNotAdded):
            self.logger.rejected("other")
