"""A table as HTML, for notebooks."""

from __future__ import annotations

from html import escape

from .sheet import Sheet

#: Cells with at most this many characters are never broken into two lines.
_SHORT = 24


def to_html(sheet: Sheet) -> str:
    """Return HTML that needs no style sheet and is readable in light and dark themes; all text is escaped."""

    def cells(tag: str, texts: tuple[str, ...]) -> str:
        return "".join(
            f'<{tag} style="{_style(text, position in sheet.numbers)}">{escape(text)}</{tag}>'
            for position, text in enumerate(texts)
        )

    head = f"<thead><tr>{cells('th', sheet.columns)}</tr></thead>"
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in sheet.rows)
    table = f"<table>{head}<tbody>{body}</tbody></table>" if sheet.rows else ""
    note = f"<div>{escape(sheet.note)}</div>" if sheet.note else ""
    return f"<div><div><b>{escape(sheet.title)}</b></div>{table}{note}</div>"


def _style(text: str, is_number: bool) -> str:
    """Return the style of a cell; a short text, such as a time, stays on one line however narrow the page is."""
    wrapping = ";white-space:nowrap" if len(text) <= _SHORT else ""
    return f"text-align:{'right' if is_number else 'left'};padding:.2em .6em{wrapping}"
