"""
What a server says it can do beyond the 0.3 protocol, in the header ``ConnectorDB-Features`` of every answer.

A client believes that header and nothing else; without it, a server is taken for an original one. The header is words with
commas between, of which some have a number: ``durable, idempotency=604800, ws-id, ws-index``.
"""

from __future__ import annotations

from typing import NamedTuple

#: The header's name.
HEADER = "ConnectorDB-Features"

#: The header with which a client names an insert, so that it may be repeated.
IDEMPOTENCY_KEY = "Idempotency-Key"

#: The header with which a client says for how many seconds it waits for an answer.
TIMEOUT = "ConnectorDB-Timeout"

#: Characters of such a name, which are those of ASCII that can be seen.
KEY_LIMIT = 255

#: Digits of a number that is believed: three hundred years.
_MOST_DIGITS = 10


class Features(NamedTuple):
    """
    What one server announced.

    Attributes:
        durable: An insert that was answered ``ok`` survives a power cut.
        idempotency: Seconds for which an insert may be repeated under its key; `None` if keys mean nothing there.
        ws_id: A websocket command with an ``id`` is answered.
        ws_index: A subscription made with an ``id`` tells indices and stored times.
    """

    durable: bool = False
    idempotency: int | None = None
    ws_id: bool = False
    ws_index: bool = False

    @classmethod
    def parse(cls, header: str | None) -> Features:
        """Return what *header* announces; words that are not known here, or make no sense, are passed over."""
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
    """Return a number of seconds above 0, if *text* is one."""
    plain = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return (int(text) or None) if plain else None


def is_key(text: str) -> bool:
    """Tell whether *text* can name an insert: up to `KEY_LIMIT` visible characters of ASCII."""
    return 0 < len(text) <= KEY_LIMIT and all("!" <= character <= "~" for character in text)
