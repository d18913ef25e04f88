"""Text that others have written, as it can be shown: in one line, and without what makes a terminal do something."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return text in one line, with a dot for each control character, line break, and mark that turns the direction of writing."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def cut(text: str, letters: int) -> str:
    """Return text as `plain` does, with so many letters at most."""
    shown = plain(text[: letters + 1])
    return shown if len(shown) <= letters else f"{shown[: letters - 1]}…"
