"""A table as HTML, for notebooks."""

from __future__ import annotations

from html import escape

from .sheet import Sheet


def to_html(sheet: Sheet) -> str:
    """Return HTML that needs no style sheet and fits light and dark; all text is escaped."""

    def cells(tag: str, texts: tuple[str, ...]) -> str:
        aligned = ("right" if position in sheet.numbers else "left" for position in range(len(texts)))
        return "".join(
            f'<{tag} style="text-align:{side}">{escape(text)}</{tag}>'
            for side, text in zip(aligned, texts, strict=True)
        )

    head = f"<thead><tr>{cells('th', sheet.columns)}</tr></thead>"
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in sheet.rows)
    table = f"<table>{head}<tbody>{body}</tbody></table>" if sheet.rows else ""
    note = f"<div>{escape(sheet.note)}</div>" if sheet.note else ""
    return f"<div><div><b>{escape(sheet.title)}</b></div>{table}{note}</div>"
