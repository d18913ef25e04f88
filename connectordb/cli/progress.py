"""How far something that takes long has come: shown in a terminal, on standard error; a pipe sees nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from ..server import Progress


@contextmanager
def shown(doing: str) -> Iterator[Progress]:
    """Have progress shown as *doing*, what of it is done, and how much of all."""
    console = Console(stderr=True, highlight=False)
    with console.status(f"{doing} …") as status:

        def progress(what: str, done: int, all: int) -> None:
            status.update(f"{doing}: {what}{f', {100 * done // all} %' if all else ''}")

        yield progress
