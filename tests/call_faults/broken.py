"""
The client with one rule taken out: each loses, doubles, hides or gives away something, and the harness has to see it.

``python -m tests.call_faults --broken`` has each of them meet what must find it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from connectordb.client.calls.attempts import Attempts
from connectordb.client.http import Transport, answers, failures
from connectordb.client.terms import judging
from connectordb.client.terms.timeouts import Timeout
from connectordb.exceptions import ConnectionFailed, OutcomeUnknown
from connectordb.protocol import rest, restamp


@dataclass(frozen=True)
class Variant:
    """
    A way to break the client.

    Attributes:
        patch: Returns what does it, as long as it is entered.
        call: The label of a call that must find it.
        fault: The fault that it has to meet.
        symptoms: Words of which one must be among what is found.
    """

    patch: Callable[[], AbstractContextManager[object]]
    call: str
    fault: str
    symptoms: tuple[str, ...]


def _sends_again() -> AbstractContextManager[object]:
    """An insert without a name goes again, though the first copy may be stored."""
    return mock.patch.dict(judging._TABLE, {judging.Kind.INSERT: {}})


def _names_anew() -> AbstractContextManager[object]:
    """An insert that goes again has another name."""
    failed = Attempts.failed

    def anew(self: Any, *arguments: Any) -> None:
        failed(self, *arguments)
        self.name = self.name and f"{self.name}-again"

    return mock.patch.object(Attempts, "failed", anew)


def _takes_for_failure() -> AbstractContextManager[object]:
    """What nobody knows is told as a failure."""
    send_once = restamp.send_once

    def surely(*arguments: Any, **named: Any) -> None:
        try:
            send_once(*arguments, **named)
        except OutcomeUnknown as unknown:
            raise ConnectionFailed(str(unknown)) from unknown

    return mock.patch.object(restamp, "send_once", surely)


def _takes_for_success() -> AbstractContextManager[object]:
    """What nobody knows is taken for stored."""
    return mock.patch.object(restamp, "_is_stored", lambda *arguments, **named: True)


def _takes_any_word() -> AbstractContextManager[object]:
    """Any answer of 200 is taken for the word that an insert is stored."""
    return mock.patch.object(rest, "_ok", lambda body: None)


def _takes_half() -> AbstractContextManager[object]:
    """Half of what was packed is taken for all of it."""

    def unpacked(packed: bytes, name: str, limit: int) -> bytes:
        return zlib.decompressobj(47).decompress(packed)

    return mock.patch.object(answers, "_unpacked", unpacked)


def _waits() -> AbstractContextManager[object]:
    """A call has no end, only its phases have."""
    return mock.patch.object(Timeout, "whole", 3600.0)


def _tells() -> AbstractContextManager[object]:
    """What fails is told with all that was sent."""
    send = Transport.send

    def telling(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return send(self, *arguments, **named)
        except ConnectionFailed as error:
            raise type(error)(f"{error}: sent with {named['authorization']}") from error

    return mock.patch.object(Transport, "send", telling)


def _lets_through() -> AbstractContextManager[object]:
    """What a library raises comes through."""
    return mock.patch.object(failures, "translated", lambda error, *said: error)


VARIANTS: dict[str, Variant] = {
    "sends-again": Variant(
        _sends_again,
        "Stream.insert(value)",
        "reset",
        ("2 of 1 points are stored", "that 0 points are stored, and 1 are"),
    ),
    "names-anew": Variant(_names_anew, "Stream.insert(value)", "reset", ("2 of 1 points are stored",)),
    "takes-for-failure": Variant(
        _takes_for_failure, "Stream.insert(value)", "reset", ("that 0 points are stored, and 1 are",)
    ),
    "takes-for-success": Variant(_takes_for_success, "Stream.insert(value)", "reset", ("0 of 1 points are stored",)),
    "takes-any-word": Variant(
        _takes_any_word, "Stream.insert(value)", "html", ("it returned, and 0 of 1 points are stored",)
    ),
    "takes-half": Variant(_takes_half, "ConnectorDB.ping()", "cut-gzip", ("instead of",)),
    "waits": Variant(_waits, "ConnectorDB.ping()", "drip", ("should have ended",)),
    "tells": Variant(_tells, "ConnectorDB.ping()", "reset", ("a secret is in the text",)),
    "lets-through": Variant(_lets_through, "ConnectorDB.ping()", "refused", ("none of ours",)),
}
