"""Tests of `connectordb.live.following.receiver`."""

from __future__ import annotations

from connectordb.exceptions import ConnectionFailed, InvalidRequest, NotFound, PermissionDenied, ServerError
from connectordb.live.following.receiver import gone_reason, is_refusal, words
from tests.support.case import Case


class GoneTests(Case):
    """What an error says of the stream."""

    def test_reasons(self) -> None:
        """Not there and not allowed; what passes, as too many requests, says nothing of it."""
        self.assertEqual(gone_reason(NotFound("no", status=404, ref="x")), "deleted")
        self.assertEqual(gone_reason(PermissionDenied("no", status=403)), "denied")
        self.assertIsNone(gone_reason(PermissionDenied("later", status=429)))
        self.assertIsNone(gone_reason(NotFound("<html>", status=404)))
        self.assertIsNone(gone_reason(ConnectionFailed("away")))

    def test_refusals(self) -> None:
        """A refusal is what the server says of the request; that it has failed, or is away, is none."""
        self.assertTrue(is_refusal(NotFound("no", status=404)))
        self.assertTrue(is_refusal(InvalidRequest("no", status=403)))
        self.assertFalse(is_refusal(ServerError("no", status=500)))
        self.assertFalse(is_refusal(ConnectionFailed("away")))

    def test_words(self) -> None:
        """Two refusals that differ only by the number in the server's log say the same."""
        first, second = (NotFound("no such stream", status=403, ref=ref) for ref in ("a", "b"))
        self.assertNotEqual(str(first), str(second))
        self.assertEqual(words(first), words(second))
        self.assertEqual(words(ConnectionFailed("away")), "away")
