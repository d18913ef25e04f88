"""
What is done with each batch: a callback is called with points, or a device's command is handled; and that this was done is remembered.

Everything but `close` and `prepare` is called on the subscription's lane.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from ...exceptions import ConnectorDBError, PipeScriptError, StorageError
from ...protocol.paths import Path
from ..downlinks import Claim, Commands, NotYet, Tell
from ..remembering import Place, Remembered
from .batch import Batch
from .claims import CommandKey
from .pushing import Pushed, Transform

log = logging.getLogger(__name__)

Act = Callable[[Batch], object]


class Handler(Protocol):
    """What a subscription does with its points."""

    def resume(self) -> Place | None:
        """Return where to begin; ``None`` if nothing is remembered."""

    def prepare(self) -> None:
        """Create what is needed at the server; called first, on the thread that subscribes."""

    def begin(self) -> None:
        """Do what was left undone by the process before this one."""

    def handle(self, batch: Batch, act: Act, series: str, claim: Claim | None, away_until: int | None) -> None:
        """
        Handle a batch; raises nothing but this, and what ends the thread.

        Args:
            batch: The points.
            act: Calls the callback, and returns what it returned.
            series: The stream's, as `Cursor.series`.
            claim: For a command without an index: the claim that its callbacks share.
            away_until: As `Course.away_until`.

        Raises:
            NotYet: Call this again later with the same batch.
        """

    def stands_at(self, place: Place, moved: bool) -> None:
        """Remember the place where the subscription begins, or goes on in a stream that is not what it was (*moved*)."""

    def close(self) -> None:
        """Leave the remember file to others; calling it twice does nothing."""


class Points:
    """
    Handles the points of a stream: calls the callback, and then remembers that it was called.

    Args:
        path: The path of the stream, as text.
        tell: Told what goes wrong.
        remembered: The remember file, if there is one.
    """

    def __init__(self, path: str, tell: Tell, remembered: Remembered | None = None) -> None:
        self._path = path
        self._tell = tell
        self._remembered = remembered
        # guards the two below: the callback itself, or another thread, may close the subscription while the callback runs
        self._guard = threading.Lock()
        self._is_busy = False
        self._is_closed = False

    def resume(self) -> Place | None:
        return None if self._remembered is None else self._remembered.place

    def prepare(self) -> None:
        """Nothing is needed."""

    def begin(self) -> None:
        """Nothing is left from before."""

    def handle(self, batch: Batch, act: Act, series: str, claim: Claim | None, away_until: int | None) -> None:
        if self._remembered is None:
            self._call(batch, act)
            return
        with self._guard:
            self._is_busy = True
        try:
            # before the call, as the callback may change its list
            place = None if batch.first_index is None else _behind(batch, batch.first_index, series)
            self._call(batch, act)
            if place is not None:
                self._save(place)
        finally:
            with self._guard:
                self._is_busy = False
                is_closed = self._is_closed
            if is_closed:
                self.close()

    def _call(self, batch: Batch, act: Act) -> None:
        try:
            act(batch)
        except Exception as error:
            log.exception("the callback of %r raised; the subscription goes on", self._path)
            self._tell(error, logged=True)

    def stands_at(self, place: Place, moved: bool) -> None:
        if moved or self.resume() is None:
            self._save(place)

    def close(self) -> None:
        with self._guard:
            self._is_closed = True
            is_busy = self._is_busy
        if self._remembered is not None and not is_busy:  # otherwise `handle` closes it, after the place was saved
            self._remembered.close()

    def _save(self, place: Place) -> None:
        if self._remembered is not None:
            try:
                self._remembered.save(place)
            except ConnectorDBError as error:
                self._tell(error)


class Transformed:
    """
    Handles the points of a stream that has a transform which runs here, over all points as one sequence.

    Args:
        path: The stream.
        transform: The script.
        tell: Told what goes wrong.
    """

    def __init__(self, path: Path, transform: Transform, tell: Tell) -> None:
        self._path = path
        self._pushed = Pushed(transform)
        self._points = Points(str(path), tell)
        self._tell = tell

    def resume(self) -> Place | None:
        return None

    def prepare(self) -> None:
        """Nothing is needed."""

    def begin(self) -> None:
        """Nothing is left from before."""

    def handle(self, batch: Batch, act: Act, series: str, claim: Claim | None, away_until: int | None) -> None:
        try:
            made = self._pushed.push(batch)
        except PipeScriptError as error:
            self._tell(error)
            return
        if made:
            self._points.handle(Batch(made, self._path, None, batch.caught_up), act, series, claim, away_until)

    def stands_at(self, place: Place, moved: bool) -> None:
        if moved:
            self._pushed.begin_anew()

    def close(self) -> None:
        self._pushed.close()


class Downlink:
    """
    Handles the commands of a downlink, each of which is a batch of its own.

    Args:
        commands: Does the work.
        claim: Returns the claim to a command, which its callbacks share.
        tell: Told what goes wrong.
        later: Calls a function on the lane after so many seconds.
    """

    def __init__(
        self,
        commands: Commands,
        claim: Callable[[CommandKey], Claim],
        tell: Tell,
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self._commands = commands
        self._claim = claim
        self._tell = tell
        self._later = later

    def resume(self) -> Place | None:
        return self._commands.resume()

    def prepare(self) -> None:
        self._commands.prepare()

    def begin(self) -> None:
        try:
            self._commands.complete()
        except NotYet as not_yet:
            self._later(not_yet.seconds, self.begin)

    def handle(self, batch: Batch, act: Act, series: str, claim: Claim | None, away_until: int | None) -> None:
        index = batch.first_index
        if index is not None:
            claim = self._claim((index, batch[0].get("t", 0.0)))
        self._commands.handle(
            index, dict(batch[0]), lambda: act(batch), series=series, claim=claim, away_until=away_until
        )

    def stands_at(self, place: Place, moved: bool) -> None:
        if moved or self.resume() is None:
            try:
                self._commands.rewind(place)
            except StorageError as error:
                self._tell(error)

    def close(self) -> None:
        self._commands.close()


def _behind(batch: Batch, first: int, series: str) -> Place:
    return Place(first + len(batch), batch[-1].get("t", 0.0), series)
