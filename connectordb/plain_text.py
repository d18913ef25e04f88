"""Text that others have written, as it can be shown: in one line, and without what makes a terminal do something."""

from __future__ import annotations

from unicodedata import combining, east_asian_width


def plain(text: str) -> str:
    """Return text in one line, with a dot for each control character, line break, and mark that turns the direction of writing."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes: letters of Chinese and pictures take two, accents of their own none."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(letter) in "WF" else not combining(letter) for letter in text)


def cut(text: str, columns: int) -> str:
    """Return text as `plain` does, in so many columns at most."""
    shown = plain(text[: columns + 1])
    if width(shown) <= columns and len(shown) == len(text):
        return shown
    while width(shown) >= columns:
        shown = shown[:-1]
    return f"{shown}…"
