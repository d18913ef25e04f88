"""
Loggers with one rule taken out: each loses, doubles or miscounts points, and the harness has to see it.

A variant is applied in a Logger's process only. ``python -m tests.faults --broken`` runs each against the kind that must find it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from connectordb.exceptions import StorageFull
from connectordb.logger import logger
from connectordb.logger.rows import notes, noting
from connectordb.logger.sync import links, plan, sending
from connectordb.protocol import proof
from connectordb.runtime import sqlite


@dataclass(frozen=True)
class Variant:
    """
    A way to break a Logger.

    Attributes:
        apply: Does it, in this process.
        kind: The kind of faults that must find it.
        symptoms: Words of which one must be among what is found.
        features: Whether Loggers learn what the server can do; where one rule covers for another, only one of the two is asked.
    """

    apply: Callable[[], None]
    kind: str
    symptoms: tuple[str, ...]
    features: str = "off"


def _resends() -> None:
    """An unknown outcome: it sends again without looking."""

    def in_doubt(batch: plan.Batch, attempt: plan.Attempt) -> tuple[plan.Step, plan.Attempt]:
        return plan.Step.SEND, attempt

    _replace(plan, "_in_doubt", in_doubt)


def _forgets() -> None:
    """An unknown outcome: it takes the points for stored."""

    def optimist(error: Any) -> proof.Answer:
        answer = proof.judge(error)
        return proof.Answer.STORED if answer is proof.Answer.UNKNOWN else answer

    _replace(sending, "judge", optimist)


def _impatient() -> None:
    """It does not wait for late copies, and sends a lone point again with the same time."""
    _replace(sending.Context, "wait", lambda *_: None)
    _replace(notes.Notes, "move", notes.Notes.write)


def _noteless() -> None:
    """It writes no note before it sends."""
    for module in (notes, noting):
        _replace(module, "write_note", lambda *_: None)


def _miscounts() -> None:
    """It counts a point as confirmed that it sets nowhere."""
    resolve = notes.Notes.resolve

    def twice(self: Any, stream: int, *rest: Any, **options: Any) -> Any:
        begun = resolve(self, stream, *rest, **options)
        self._file.write(
            lambda connection: connection.execute("UPDATE stream SET confirmed = confirmed + 1 WHERE id = ?", (stream,))
        )
        return begun

    _replace(notes.Notes, "resolve", twice)


def _careless() -> None:
    """It takes every server for one that flushes what it stores before it answers."""
    features = links.Link.features
    assert isinstance(features, property) and features.fget is not None
    told = features.fget
    _replace(links.Link, "features", property(lambda self: told(self)._replace(durable=True)))


def _unflushed() -> None:
    """It does not flush what it writes."""
    configure = sqlite._configure

    def carelessly(connection: Any) -> None:
        configure(connection)
        connection.execute("PRAGMA synchronous = OFF")

    _replace(sqlite, "_configure", carelessly)


def _swallows() -> None:
    """It takes a full disk for a success."""
    insert = logger.Logger.insert

    def carelessly(self: Any, *arguments: Any) -> Any:
        try:
            return insert(self, *arguments)
        except StorageFull:
            return SimpleNamespace(state="stored")

    _replace(logger.Logger, "insert", carelessly)


def _greedy() -> None:
    """It takes every point of a batch off as soon as one of them is found."""
    looked = sending.Sending._look

    def all_found(self: Any) -> bool:
        found = looked(self)
        if self._newest >= self.batch.first:
            self._found = [row.id for row in self._rows(self._note.last)]
            return True
        return found

    _replace(sending.Sending, "_look", all_found)


def _replace(owner: Any, name: str, new: Any) -> None:
    assert hasattr(owner, name), f"{owner} has no {name} any more: the variant does nothing"
    setattr(owner, name, new)


VARIANTS = {
    "resends": Variant(_resends, "cut", ("twice",)),
    "forgets": Variant(_forgets, "cut", ("lost",), "on"),
    "impatient": Variant(_impatient, "late", ("twice",)),
    "noteless": Variant(_noteless, "syncing-killed", ("twice", "there, and set aside")),
    "miscounts": Variant(_miscounts, "cut", ("counts",), "on"),
    "unflushed": Variant(_unflushed, "power", ("lost", "counts", "twice")),
    "swallows": Variant(_swallows, "disk-full", ("lost",)),
    "careless": Variant(_careless, "last-second", ("lost",)),
    # with a server that may forget its last second, what it took off is missed there, goes again, is found again: that does not end
    "greedy": Variant(_greedy, "another-writer", ("lost", "does not end"), "on"),
}
