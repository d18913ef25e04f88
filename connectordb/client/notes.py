"""Saying more in an exception that is on its way to the user; pure."""

from __future__ import annotations

from ..exceptions import ConnectorDBError, ResponseError


def add(error: ConnectorDBError, note: str) -> None:
    """Append *note* to what *error* says."""
    if isinstance(error, ResponseError):
        error.message += note
    error.args = (f"{error.args[0] if error.args else ''}{note}", *error.args[1:])


def add_stored(error: ConnectorDBError, stored: int) -> None:
    """Say how many points of the same call were stored before *error*, in words and as its attribute ``stored``."""
    what = f"{stored} datapoints of this call were" if stored else "nothing of this call was"
    add(error, f"; before that, {what} stored")
    error.stored = stored  # type: ignore[attr-defined]
