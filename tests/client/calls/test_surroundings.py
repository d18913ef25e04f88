"""What attempts share."""

from __future__ import annotations

from connectordb.client.calls.surroundings import Sent
from connectordb.client.settings.credentials import Credentials
from connectordb.client.terms.trace import Trace
from connectordb.protocol.features import Features

from ...support.case import Case


class SentTests(Case):
    """One attempt."""

    def test_secret(self) -> None:
        """A value like this ends up in tracebacks: it does not show the key."""
        self.assertNotIn("the key", repr(Sent(None, Features(), Credentials(secret="the key"), Trace())))  # type: ignore[arg-type]
