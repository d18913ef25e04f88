"""Text that others have written, as it can be shown: in one line, and without what makes a terminal do something."""

from __future__ import annotations

from unicodedata import combining, east_asian_width


def plain(text: str) -> str:
    """Return text in one line, with a dot for each control character, line break, and mark that turns the direction of writing."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def plain_lines(text: str) -> str:
    """Return text as `plain` does, but in the lines that it has."""
    return "\n".join(map(plain, text.splitlines()))


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


def pointed_at(text: str, position: int) -> str:
    """Return the line of a text in which *position* is, not more than fits a terminal, with a caret below it."""
    begin = text.rfind("\n", 0, position) + 1
    line = text[begin:].partition("\n")[0]
    column = position - begin
    cut = max(0, column - 50)
    return f"    {plain(line[cut : cut + 70])}\n    {' ' * width(plain(line[cut:column]))}^"
