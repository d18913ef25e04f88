"""What a `Follower` needs of its subscription, and what an error means for a stream."""

from __future__ import annotations

from typing import Protocol

from ...exceptions import AuthenticationError, ConnectorDBError, NotFound, PermissionDenied, ResponseError, ServerError
from ..downlinks import Claim
from ..handing import Batch
from ..options import GoneReason
from ..remembering import Place


def gone_reason(error: ConnectorDBError) -> GoneReason | None:
    """Return why a stream is gone, if *error* says that; what passes by itself, as too many requests or a proxy's page, does not."""
    if isinstance(error, NotFound):
        return "deleted" if error.ref else None  # without a ref, it is not the server that says so
    return "denied" if isinstance(error, PermissionDenied) and error.status != 429 and error.code != 429 else None


def is_refusal(error: ConnectorDBError | None) -> bool:
    """Tell whether the server refused the request, rather than failed to answer it."""
    return isinstance(error, AuthenticationError) and not isinstance(error, ServerError)


def words(error: ConnectorDBError) -> str:
    """Return what an error says, without its reference into the server's log, which is another one each time."""
    return error.message if isinstance(error, ResponseError) else str(error)


class Receiver(Protocol):
    """The subscription, as its `Follower` knows it; every method is called on the lane."""

    def hand(self, batch: Batch, claim: Claim | None) -> None:
        """Handle points; for a command without an index, with the claim to it."""

    def stands_at(self, place: Place, moved: bool) -> None:
        """Remember the place where the subscription begins, or goes on in a stream that is not what it was (*moved*)."""

    def caught_up(self, number: int) -> None:
        """Everything that existed has been handed on, of which *number* points had been missed."""

    def gone(self, reason: GoneReason) -> None:
        """The stream is gone, or not what it was."""

    def ask_again(self) -> None:
        """Ask the server once more which stream it is."""

    def tell(self, error: Exception) -> None:
        """Tell the subscriber what went wrong."""

    def end(self) -> None:
        """End the subscription."""
