"""The companion of a commanded stream, in which the device records what became of each command: creating it, and its points."""

from __future__ import annotations

import uuid

from ...exceptions import Conflict, LocalProtocolError, NotFound
from ...protocol import json_text, refusals, rest
from ...protocol.answers import DATATYPE, SCHEMA, Answer, companion
from ...protocol.paths import Path
from .owed import Owed
from .writing import Server


class Companion:
    """
    Where the answers to the commands of a downlink are recorded.

    Args:
        server: The server.
        downlink: The downlink.
    """

    def __init__(self, server: Server, downlink: Path) -> None:
        self._server = server
        self._downlink = downlink
        self._path = companion(downlink)

    def prepare(self) -> None:
        """
        Create it, unless it exists.

        Raises:
            LocalProtocolError: There is another kind of stream with that name.
            ConnectorDBError: The server refused, or is away.

        Calls: ``GET crud/<path>``, and ``POST`` if it does not exist.
        """
        try:
            found = self._server.call(rest.read(self._path))
        except NotFound as absent:
            if not refusals.says_absent(absent):
                raise
            try:
                self._make()
            except Conflict:  # another process was faster
                found = self._server.call(rest.read(self._path))
            else:
                return
        if found.get("datatype") != DATATYPE:
            raise LocalProtocolError(
                f"answers=True records what became of the commands of {str(self._downlink)!r} in {str(self._path)!r}, but that "
                f"is a stream of another kind (its datatype is {found.get('datatype')!r}, not {DATATYPE!r}): remove it, or "
                "subscribe without answers"
            )

    def _make(self) -> None:
        self._server.call(
            rest.create(
                self._path,
                {
                    "schema": json_text.dumps(SCHEMA).decode(),
                    "datatype": DATATYPE,
                    "description": f"What became of the commands to {self._downlink.name}",
                },
            )
        )

    def owed(self, answer: Answer) -> Owed:
        """Return the insert that records *answer*."""
        now = self._server.clock.wall()
        return Owed(self._path, ({"t": now, "d": answer.value()},), uuid.uuid4().hex, now)
