"""A call, and what has to be known of it to tell whether it did right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectordb import ConnectorDBError

from ..stage import Try

#: The kinds of calls, and what they are.
KINDS = {
    "read": "Calls that read",
    "change": "Calls that change what is not points",
    "insert": "Calls that insert",
    "insert-0.3": "Calls that insert, to an original 0.3 server",
    "raw": "Calls that return the server's answer as it is",
    "live": "Calls that go by the websocket",
}


def _nothing(at: Try) -> None:
    pass


@dataclass(frozen=True)
class Call:
    """
    See the module. What it returns is compared with what it returns without a fault, if it only reads.

    Attributes:
        label: The call, as the page shows it; begins with a member of a class.
        do: Makes it.
        members: The members that it covers, where those are others than the label says.
        prepare: Run before, without the gate, once the connection is there.
        inserts: How many points it inserts into `Try.target`.
        done: Tells whether what it should change is as it should be; looks without the gate.
        is_live: Whether it goes by the websocket, or a thread beside it sends requests too, so that they are not counted.
        is_raw: Whether it returns the server's answer itself, for the caller to judge.
        raises: What it may raise beside what a fault makes any call raise.
        patience: Seconds that it may take beside the deadline of a call.
        is_twofold: Whether it makes another of these calls and, after an error, goes on with it; the page has the other one.
    """

    label: str
    do: Callable[[Try], Any]
    members: tuple[str, ...] = ()
    prepare: Callable[[Try], Any] = _nothing
    inserts: int = 0
    done: Callable[[Try], Any] | None = None
    is_live: bool = False
    is_raw: bool = False
    raises: tuple[type[ConnectorDBError], ...] = ()
    patience: float = 0.0
    is_twofold: bool = False

    @property
    def kind(self) -> str:
        """What kind of call it is: one of `KINDS`."""
        if self.is_live:
            return "live"
        if self.is_raw:
            return "raw"
        return "insert" if self.inserts else "change" if self.writes else "read"

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return bool(self.inserts) or self.done is not None

    @property
    def of(self) -> tuple[str, ...]:
        """The members that it covers."""
        return self.members or (self.label.split("(")[0].split(" ")[0].split("[")[0],)
