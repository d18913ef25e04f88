"""Refusals."""

from __future__ import annotations

from connectordb.exceptions import ConnectorDBError
from connectordb.server.refusal import Refusal

from ..support.case import Case


class Refusing(Case):
    """What it says."""

    def test_says(self) -> None:
        """Status, text and headers, which there need not be; whoever catches errors of ours catches it."""
        refusal = Refusal(405, "not here", {"Allow": "GET"})
        self.assertEqual((refusal.status, refusal.message, refusal.headers), (405, "not here", {"Allow": "GET"}))
        self.assertEqual(Refusal(404, "nothing").headers, {})
        self.assertIsInstance(refusal, ConnectorDBError)
        self.assertEqual(str(refusal), "not here")
