"""
The scripts of an answer, limited as configured, and compiled where that holds up nobody else.

Compiling the longest takes a tenth of a second, which a thread of the storage must not spend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from ...exceptions import PipeScriptError
from ..config import Queries
from .effort import Effort
from .request import Refusal

if TYPE_CHECKING:
    from ...pipescript import Point, Script

#: How many characters of a script that is too long are shown in its refusal.
_SHOWN = 100


def compiled(text: str, queries: Queries, watch: Callable[[], None], *, status: int = 403, share: int = 1) -> Script:
    """
    Return a script, compiled.

    Args:
        text: The script.
        queries: The settings for what it may take.
        watch: Called now and then while it runs.
        status: The status of a refusal.
        share: Among how many scripts the memory that they may hold is divided.

    Raises:
        Refusal: It is no valid script.
    """
    from ...pipescript import (
        Limits,
        Script,
    )  # imported here, so that the language is loaded only if something is computed

    limits = Limits(
        length=queries.script_characters,
        split_max=queries.split_max,
        string_max=queries.string_max,
        peek_max=queries.peek_max,
        value_max=queries.value_bytes,
        held_max=queries.held_bytes // share,
        watch=watch,
    )
    try:
        return Script(text, limits=limits)
    except PipeScriptError as error:
        shown = text if len(text) <= queries.script_characters else f"{text[:_SHOWN]}…"
        raise Refusal(status, f"Script '{shown}': {error.reason}") from error


def of_subscription(text: str, queries: Queries) -> tuple[Script, Effort]:
    """
    Return a script that runs over each insert, and what limits it. Compiling takes time.

    Raises:
        Refusal: It is no valid script.
    """
    effort = Effort(queries.subscription_seconds, queries.subscription_bytes)
    return compiled(text, queries, effort), effort


class Pending:
    """A script that is compiled later, but before the first point is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._script: Script | None = None

    @property
    def script(self) -> Script:
        """The script, compiled."""
        assert self._script is not None
        return self._script

    def use(self, script: Script) -> None:
        """Set the compiled script."""
        self._script = script

    def __call__(self, points: Iterable[Point]) -> Iterator[Point]:
        """Run the script over *points*; it need not have been compiled when this is called."""
        return chain.from_iterable(self.script(each) for each in (points,))


class Scripts:
    """
    All scripts of one answer.

    Args:
        queries: The settings for what they may take.
        status: The status of a refusal of an invalid script.

    Attributes:
        effort: Counts what goes into the answer.
    """

    def __init__(self, queries: Queries, status: int = 403) -> None:
        self.effort = Effort(queries.seconds, queries.answer_bytes, queries.held_bytes)
        self._queries = queries
        self._status = status
        self._characters = 0
        self._pending: list[Pending] = []

    def add(self, text: str) -> Pending | None:
        """
        Add a script, to be compiled later; returns `None` if *text* is empty.

        Raises:
            Refusal: All scripts together are too long.
        """
        if not text:
            return None
        self._characters += len(text)
        most = self._queries.all_script_characters
        if self._characters > most:
            raise Refusal(403, f"The transforms of this query have more than {most} characters together.")
        self._pending.append(Pending(text))
        return self._pending[-1]

    def compile(self) -> None:
        """
        Compile all scripts that were added, in that order. To be called on a thread where this may take time.

        Raises:
            Refusal: One of them is no valid script.
            TooMuch: It takes too long.
        """
        pending, self._pending = self._pending, []
        for each in pending:
            each.use(compiled(each.text, self._queries, self.effort, status=self._status, share=len(pending)))
            self.effort()
