"""
Writing a command, and recognising it among others.

A command is recognised by its time: no two commands of this process have the same, and it is sent as it is (if the downlink holds
something newer, the server refuses it instead of moving it). So the point with that time, value and sender is this command and no
other. Its index is found by reading the end of the downlink. If no answer came, a server that knows idempotency keys is sent the
same again; for any other server, the downlink is read: if the command is there, it was written; if not, it may still arrive, and is not
sent a second time.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import uuid
from collections.abc import Callable
from typing import Any

from ...exceptions import ConnectorDBError, ServerError
from ...protocol import json_text, proof, refusals, rest, restamp
from ...protocol.constants import RESTAMP_STEP
from ...protocol.paths import Path
from ...protocol.points import Datapoint
from ...protocol.ranges import read_parameters
from ..following import Reads

log = logging.getLogger(__name__)

#: How many points are read at once to look for a command.
_PAGE = 200

_times = threading.Lock()
_last_time = 0.0


def own_time(now: float) -> float:
    """Return *now*, or, if this was returned before in this process, the next time that was not."""
    global _last_time
    with _times:
        _last_time = now if now > _last_time or now < _last_time - 1.0 else math.nextafter(_last_time, math.inf)
        return _last_time


class Sending:
    """
    One command on its way.

    Args:
        call: Sends a REST request.
        path: The downlink.
        value: What is commanded.
        caller: The device that commands.
        wall: Returns the present time, in seconds since 1970.
        takes_keys: Tells whether the server knows idempotency keys.

    Attributes:
        is_stored: Whether the downlink is stored, so that the command can be looked for.
        is_written: Whether it is in the downlink; ``None`` if nobody knows.
        index: Its index there; ``None`` if that is not known.
    """

    def __init__(
        self,
        call: restamp.Call,
        path: Path,
        value: Any,
        caller: Path,
        wall: Callable[[], float],
        takes_keys: Callable[[], bool],
    ) -> None:
        self._call, self._path, self._value, self._caller = call, path, value, caller
        self._wall, self._takes_keys = wall, takes_keys
        self._reads = Reads(call, path)
        self._sees_value = json_text.comparable(value)
        self._time = 0.0
        self._key: str | None = None
        self.is_stored = True
        self.is_written: bool | None = False
        self.index: int | None = None
        self._is_lost = False

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left that `settle` could find out."""
        return self.is_written is not None and (self.index is not None or self._is_lost or not self.is_stored)

    def write(self) -> None:
        """
        Write it; if no answer comes, `is_written` is ``None`` afterwards.

        Raises:
            ConnectorDBError: It was refused, or could not be sent: nothing is written.
        """
        self._begin(own_time(self._wall()))
        self._send()

    def settle(self) -> None:
        """
        Find out what is not known yet: whether it was written, then where it stands.

        Raises:
            ConnectorDBError: That could not be found out now; or, if `is_written` is ``False`` afterwards, the command was refused.
        """
        if self.is_written is None and self._key is not None:
            self._send()
        if self.is_written is not False and self.is_stored and self.index is None:
            self.index = self._find()
            if self.index is not None:
                self.is_written = True
            # a command that was written and is no longer there will not come back
            self._is_lost = self.is_written is True and self.index is None

    def _begin(self, time: float) -> None:
        self._time = time
        self._key = str(uuid.uuid4()) if self._takes_keys() else None

    def _send(self) -> None:
        while True:
            text = json_text.dumps([{"t": self._time, "d": self._value}])
            try:
                self._call(rest.insert_text(self._path, text, 1, key=self._key))
            except ConnectorDBError as error:
                if not self._again_after(error):
                    return
            else:
                self.is_written = True
                return

    def _again_after(self, error: ConnectorDBError) -> bool:
        """Tell whether to send it again at once; raise *error* if the command was not written, and will not be."""
        was_unknown = self.is_written is None
        self.is_written = None
        judged = proof.judge(error)
        if judged is proof.Answer.OLDER:
            # a copy that may still be on its way will be refused as well, as times never go back
            self.is_written = False
            self._begin(self._after(self._newest()))
            return True
        if judged is proof.Answer.KEYLESS and not was_unknown:  # else an earlier copy, with the key, may still arrive
            self.is_written = False
            self._key = None
            return True
        was_not_done = judged is proof.Answer.UNSENT or _was_not_done(error)
        if judged in (proof.Answer.REFUSED, proof.Answer.DENIED) or (was_not_done and not was_unknown):
            self.is_written = False
            raise error
        log.info("a command to %s: %s; whether it was written is not known yet", self._path, error)
        return False

    def _newest(self) -> float:
        newest = self._call(rest.points(self._path, read_parameters({"i1": -1})))
        return float(newest[-1].get("t", 0.0)) if newest else 0.0

    def _after(self, newest: float) -> float:
        """Return a time for this command alone that is not before *newest*, even if this machine's clock is slow."""
        now = self._wall()
        # random, so that other commanders with slow clocks do not choose the same time
        return own_time(now if now > newest else newest + RESTAMP_STEP * (1.0 + random.random()))

    def _find(self) -> int | None:
        """Return the command's index; ``None`` if it is not there."""
        end = self._reads.length()
        while end > 0:
            begin = max(0, end - _PAGE)
            points = self._reads.points(begin, end) or []  # none if the downlink was emptied meanwhile
            for number, point in enumerate(points):
                if self._is_it(point):
                    return begin + number
            if not points or points[0].get("t", 0.0) < self._time:
                return None
            end = begin
        return None

    def _is_it(self, point: Datapoint) -> bool:
        return (
            point.get("t", 0.0) == self._time
            and point.get("o") == str(self._caller)
            and json_text.comparable(point.get("d")) == self._sees_value
        )


def _was_not_done(error: ConnectorDBError) -> bool:
    return isinstance(error, ServerError) and error.status == 503 and error.message.startswith(refusals.NOT_DONE)
