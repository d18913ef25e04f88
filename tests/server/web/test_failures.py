"""What errors become."""

from __future__ import annotations

from connectordb.exceptions import ClosedError, StorageError, StorageFull
from connectordb.server.handlers import Refusal
from connectordb.server.patience import NotWanted
from connectordb.server.web.failures import Failure, failure

from ...support.case import Case


class Telling(Case):
    """Clients are told what they can do something about; the rest is in the log."""

    def test_clients(self) -> None:
        """What the client did, or what passes, is told and not logged."""
        with self.assertNoLogs("connectordb", "INFO"):
            for error, status, message in (
                (Refusal(405, "not here", {"Allow": "GET"}), 405, "not here"),
                (NotWanted("the client's deadline has passed"), 503, "Not done: the client's deadline has passed"),
                (ClosedError("the storage is closed"), 503, "ConnectorDB is shutting down"),
            ):
                with self.subTest(message):
                    told = failure(error, "reading")
                    self.assertEqual(told[:2], (status, message))
                    self.assertEqual(told.headers, getattr(error, "headers", {}))

    def test_servers(self) -> None:
        """What the server could not do is told as that, and logged under the same reference: of a bug, where it was."""
        for error, status, shows in (
            (StorageFull("no space for /secret/place"), 507, False),
            (StorageError("/secret/place is damaged"), 500, False),
            (KeyError("/secret/place"), 500, True),
        ):
            with self.subTest(status), self.assertLogs("connectordb.server.web.failures", "ERROR") as logged:
                told = self.raised(error)
                self.assertEqual(told.status, status)
                self.assertNotIn("secret", told.message)
                self.assertIn(told.ref, logged.output[0])
                self.assertIn("inserting", logged.output[0])
                self.assertIn("/secret/place", logged.output[0])
                self.assertEqual("Traceback" in logged.output[0], shows)
                self.assertIsNone(error.__traceback__, "let go")

    def raised(self, error: Exception) -> Failure:
        """Return what becomes of an error that is raised."""
        try:
            raise error
        except Exception as caught:
            return failure(caught, "inserting")
