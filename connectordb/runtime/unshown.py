"""
Text and bytes with a secret in them, that do not show it: tracebacks print what stands in variables.

They are used as what they are; only who asks for their repr, as tools that report errors do, gets none of them. Pure.
"""

from __future__ import annotations

from typing import Any


class UnshownText(str):
    """Text that is not shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return how long it is."""
        return f"<text of {len(self)} characters>"

    def __getitem__(self, which: Any) -> UnshownText:
        """Return a part of it, which is not shown either."""
        return UnshownText(str.__getitem__(self, which))

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> UnshownBytes:
        """Return it as bytes, which are not shown either."""
        return UnshownBytes(str.encode(self, encoding, errors))


class UnshownBytes(bytes):
    """Bytes that are not shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return how many there are."""
        return f"<{len(self)} bytes>"

    def __getitem__(self, which: Any) -> Any:
        """Return one of them, or a part of them, which is not shown either."""
        got = bytes.__getitem__(self, which)
        return UnshownBytes(got) if isinstance(got, bytes) else got
