"""Who is handed what comes of a stream, and what an error says of the stream."""

from __future__ import annotations

from typing import Protocol

from ...exceptions import AuthenticationError, ConnectorDBError, NotFound, PermissionDenied, ResponseError, ServerError
from ..downlinks import Claim
from ..handing import Batch
from ..options import GoneReason
from ..remembering import Place


def gone_reason(error: ConnectorDBError) -> GoneReason | None:
    """Return why a stream is gone, if that is what *error* says; what passes, as too many requests or a proxy's page, does not."""
    if isinstance(error, NotFound):
        return "deleted" if error.ref else None  # only a server's own words have one
    return "denied" if isinstance(error, PermissionDenied) and error.status != 429 and error.code != 429 else None


def is_refusal(error: ConnectorDBError | None) -> bool:
    """Tell whether it is what the server says of the request, and not a trouble of its own."""
    return isinstance(error, AuthenticationError) and not isinstance(error, ServerError)


def words(error: ConnectorDBError) -> str:
    """Return what an error says, without the number under which the server's log has it, which is another one each time."""
    return error.message if isinstance(error, ResponseError) else str(error)


class Receiver(Protocol):
    """Who is handed what comes; every method is called on the lane."""

    def hand(self, batch: Batch, claim: Claim | None) -> None:
        """Take points; of a command without a place, with the claim to it."""

    def stands_at(self, place: Place, moved: bool) -> None:
        """Take note of where it begins; or, with *moved*, goes on in a stream that is not as it was."""

    def caught_up(self, number: int) -> None:
        """Take note that all there was is handed on, of which *number* points had been missed."""

    def gone(self, reason: GoneReason) -> None:
        """Take note that the stream is not there, or not the same."""

    def ask_again(self) -> None:
        """Have the server asked once more which stream it is."""

    def tell(self, error: Exception) -> None:
        """Take note of what went wrong."""

    def end(self) -> None:
        """End: nothing is to follow."""
