"""
What a server can do beyond the 0.3 protocol, as it announces in the header ``ConnectorDB-Features`` of every answer.

A client believes that header and nothing else; a server without it is taken for an original one. The header is a list of words
separated by commas, some with a number: ``durable, idempotency=604800, ws-id, ws-index``.
"""

from __future__ import annotations

from typing import NamedTuple

#: The header's name.
HEADER = "ConnectorDB-Features"

#: The header by which a client gives an insert its idempotency key, under which it may be repeated.
IDEMPOTENCY_KEY = "Idempotency-Key"

#: The header by which a client says how many seconds it will wait for an answer.
TIMEOUT = "ConnectorDB-Timeout"

#: The most characters of an idempotency key; they are visible ASCII.
KEY_LIMIT = 255

#: The most digits of a number that is believed: ten of them are three hundred years.
_MOST_DIGITS = 10


class Features(NamedTuple):
    """
    What one server announced.

    Attributes:
        durable: An insert that was answered ``ok`` survives a power cut.
        idempotency: Seconds for which an insert may be repeated under its key; `None` if the server knows no keys.
        ws_id: A websocket command with an ``id`` is answered.
        ws_index: A subscription made with an ``id`` tells indices and stored times.
    """

    durable: bool = False
    idempotency: int | None = None
    ws_id: bool = False
    ws_index: bool = False

    @classmethod
    def parse(cls, header: str | None) -> Features:
        """Return what *header* announces. Unknown words are ignored, and so are those that make no sense."""
        words: dict[str, str] = {}
        for word in (header or "").split(","):
            name, _, value = word.partition("=")
            words[name.strip()] = value.strip()
        return cls(
            durable="durable" in words,
            idempotency=_seconds(words.get("idempotency", "")),
            ws_id="ws-id" in words,
            ws_index="ws-index" in words,
        )

    def __str__(self) -> str:
        """Return the header's text."""
        words = [
            *(["durable"] if self.durable else []),
            *([f"idempotency={self.idempotency}"] if self.idempotency else []),
            *(["ws-id"] if self.ws_id else []),
            *(["ws-index"] if self.ws_index else []),
        ]
        return ", ".join(words)


def _seconds(text: str) -> int | None:
    """Return the number of seconds that *text* says; `None` if it is no number, or 0."""
    plain = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return (int(text) or None) if plain else None


def is_key(text: str) -> bool:
    """Tell whether *text* can be an idempotency key: 1 to `KEY_LIMIT` visible ASCII characters."""
    return 0 < len(text) <= KEY_LIMIT and all("!" <= character <= "~" for character in text)
