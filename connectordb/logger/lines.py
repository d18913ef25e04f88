"""Lines of text, logged into a stream: what ``connectordb log`` does with a pipe."""

from __future__ import annotations

from typing import Any, Literal

from ..exceptions import LocalProtocolError
from ..protocol import json_text
from ..protocol.doubts import of_time, of_value
from ..protocol.times import in_iso
from .logger import Logger
from .rows import Store
from .sync import Stream

#: What each line holds: a JSON value; plain text; a datapoint ``{"t": …, "d": …}``.
Kind = Literal["value", "text", "point"]


class Lines:
    """
    Logs lines one by one, and flushes the disk once for many of them.

    Args:
        log: The Logger; its durability should be ``"normal"``, as flushing is done here, by `settle`.
        stream: The name of the stream.
        kind: What each line holds.
        time_field: The field of each value that holds its time (seconds since 1970, or ISO 8601 text); it is removed from the value.

    Attributes:
        taken: How many lines were logged.

    Raises:
        StreamNotAdded: The Logger does not know the stream.
    """

    def __init__(self, log: Logger, stream: str, kind: Kind = "value", time_field: str | None = None) -> None:
        self._log, self._kind, self._time_field = log, kind, time_field
        self._stream: Stream = log._stream(stream)
        self._store: Store = log._store
        self._unflushed = 0
        self.taken = 0

    def take(self, line: bytes) -> None:
        """
        Log a line; an empty one is skipped, unless lines are text.

        Raises:
            ValueError: The line is not of the expected kind, or its value is refused; the message says why.
            StorageFull: The disk is full; what was logged before is safe.
        """
        if self._kind != "text" and not line.strip():
            return
        t, value = self._parsed(line)
        value = json_text.checked(value)
        if doubt := of_value(value) or (of_time(t) if isinstance(t, (int, float)) else ""):
            raise LocalProtocolError(f"it has {doubt}")
        problem = self._stream.problem(value)
        if problem is not None:
            raise LocalProtocolError(f"the stream's schema refuses it: {problem}")
        self._log.insert(self._stream.row.name, value, t)
        self.taken += 1
        self._unflushed += 1

    def settle(self) -> None:
        """Flush the disk: everything taken so far survives a power cut."""
        if self._unflushed:
            self._store.flush()
            self._unflushed = 0

    def _parsed(self, line: bytes) -> tuple[Any, Any]:
        if self._kind == "text":
            return None, line.rstrip(b"\r\n").decode()
        value = json_text.loads(line)
        if self._kind == "point":
            if not isinstance(value, dict) or not {"t", "d"} <= value.keys():
                raise ValueError('expected {"t": time, "d": value}')
            return _of_data(value["t"]), value["d"]
        if self._time_field is None:
            return None, value
        if not isinstance(value, dict) or self._time_field not in value:
            raise ValueError(f"expected an object with {self._time_field!r}")
        return _of_data(value.pop(self._time_field)), value


def _of_data(t: Any) -> Any:
    """Return the time *t* of a line: a number or ISO 8601 text, but not words such as "yesterday", which are for people."""
    try:
        return in_iso(t) if isinstance(t, str) else t
    except ValueError:
        raise ValueError(f"{t!r:.60} is no time: expected seconds since 1970, or ISO 8601 text") from None
