"""
What a server says it can do beyond the 0.3 protocol, in the header ``ConnectorDB-Features`` of every answer.

A client believes that header and nothing else; without it, a server is taken for an original one.
"""

from __future__ import annotations

from typing import NamedTuple

#: The header's name.
HEADER = "ConnectorDB-Features"


class Features(NamedTuple):
    """
    What one server announced.

    Attributes:
        durable: An insert that was answered ``ok`` survives a power cut.
    """

    durable: bool = False

    @classmethod
    def parse(cls, header: str | None) -> Features:
        """Return what *header* announces; words that are not known here are passed over."""
        words = {word.strip().partition("=")[0] for word in (header or "").split(",")}
        return cls(durable="durable" in words)

    def __str__(self) -> str:
        """Return the header's text."""
        return ", ".join(name for name, announced in self._asdict().items() if announced)
