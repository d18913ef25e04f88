"""
What is done with each batch: a callback called with points, or a device's commands handled; and what is remembered of it.

Everything but `close` is called on the subscription's lane.
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
    """What a subscription does with what comes."""

    def resume(self) -> Place | None:
        """Return where to begin; ``None`` if nothing is remembered."""

    def prepare(self) -> None:
        """Make what is needed at the server; called before anything else, by who subscribes."""

    def begin(self) -> None:
        """Do what is left from before."""

    def handle(self, batch: Batch, act: Act, series: str, claim: Claim | None, away_until: int | None) -> None:
        """
        Have *act* call the callback; raises nothing but what ends the thread.

        Raises:
            NotYet: It is to be called again later with this batch.
        """

    def stands_at(self, place: Place, moved: bool) -> None:
        """Take note of the place before the first batch; or, with *moved*, in a stream that is not as it was."""

    def close(self) -> None:
        """Leave what is remembered to others; calling it twice does nothing."""


class Points:
    """
    Points of a stream: the callback is called, and then it is remembered that it was.

    Args:
        path: Of the stream, as text.
        tell: Told what goes wrong.
        remembered: The file that outlives the process.
    """

    def __init__(self, path: str, tell: Tell, remembered: Remembered | None = None) -> None:
        self._path = path
        self._tell = tell
        self._remembered = remembered
        # guards the two below: a callback may close its own subscription, and another thread while it runs
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
            # first: the callback may change its list
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
        if self._remembered is not None and not is_busy:  # otherwise it is saved first
            self._remembered.close()

    def _save(self, place: Place) -> None:
        if self._remembered is not None:
            try:
                self._remembered.save(place)
            except ConnectorDBError as error:
                self._tell(error)


class Transformed:
    """
    What a script makes, here, of all points as one sequence.

    Args:
        path: Of the stream.
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
    Commands, each a batch of its own.

    Args:
        commands: Handles them.
        claim: Returns the claim to a command, which its other callbacks share.
        tell: Told what goes wrong.
        later: Has something called on the lane after so many seconds.
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
