"""
Text and bytes that hold a secret and do not show it, as some tracebacks print the values of variables.

They can be used like any text or bytes; only their repr, which tools that report errors ask for, shows nothing of them. Pure.
"""

from __future__ import annotations

from typing import Any


class UnshownText(str):
    """Text that is not shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Say only how long the text is."""
        return f"<text of {len(self)} characters>"

    def __getitem__(self, which: Any) -> UnshownText:
        """Return part of the text, which is not shown either."""
        return UnshownText(str.__getitem__(self, which))

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> UnshownBytes:
        """Return the text as bytes, which are not shown either."""
        return UnshownBytes(str.encode(self, encoding, errors))


class UnshownBytes(bytes):
    """Bytes that are not shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Say only how many bytes there are."""
        return f"<{len(self)} bytes>"

    def __getitem__(self, which: Any) -> Any:
        """Return one byte, or part of them, which is not shown either."""
        got = bytes.__getitem__(self, which)
        return UnshownBytes(got) if isinstance(got, bytes) else got
