"""Adding to the message of an exception that is on its way to the user; pure."""

from __future__ import annotations

from ...exceptions import ResponseError


def with_note(text: str, note: str) -> str:
    """Return *text* followed by *note*; a note that begins with a semicolon replaces the full stop at the end of the text."""
    return f"{text.removesuffix('.') if note.startswith(';') else text}{note}"


def cut(text: str, most: int = 400) -> str:
    """Return *text*, without its middle if it is long."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def add(error: Exception, note: str) -> None:
    """Append *note* to the message of *error*, as `with_note` does."""
    if isinstance(error, ResponseError):
        error.message = with_note(error.message, note)
    error.args = (with_note(str(error.args[0]) if error.args else "", note), *error.args[1:])


def add_stored(error: Exception, stored: int) -> None:
    """Add how many points of the same call were stored before *error*, to its message and as its attribute ``stored``."""
    what = f"{stored} datapoints of this call were" if stored else "nothing of this call was"
    add(error, f"; before that, {what} stored")
    error.stored = stored  # type: ignore[attr-defined]
