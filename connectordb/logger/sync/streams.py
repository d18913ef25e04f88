"""The streams of a Logger: which values may be logged to each, and how they come to exist on the server."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from math import isfinite
from numbers import Real
from typing import Any, Literal, cast

from ...exceptions import (
    AuthenticationError,
    Conflict,
    ConnectionFailed,
    ConnectorDBError,
    LocalProtocolError,
    LoggerError,
    NotFound,
    ServerError,
)
from ...protocol import json_text, rest, schemas
from ...protocol.doubts import Tell, of_time, of_value
from ...protocol.paths import Path
from ...protocol.points import EXACT
from ...protocol.times import LATE, Time, to_seconds
from ..records import Columns, StreamRow
from ..rows import Store
from .reading import Server

log = logging.getLogger(__name__)

#: What to do if the server's stream has another schema than the one declared.
OnSchema = Literal["warn", "error"]

_DICT, _NUMBERS = frozenset([dict]), frozenset([float, int])


class Stream:
    """
    A stream that was added: checks the points that are logged to it.

    Attributes:
        row: The stream as the file has it.
        id: Its id in the file.
        allows: Tells whether its schema allows a value.
    """

    __slots__ = ("_schema", "allows", "id", "row")

    def __init__(self, row: StreamRow) -> None:
        self.row = row
        self.id = row.id
        self._schema = _schema(row)
        self.allows = self._schema.allows

    def text(self, value: Any) -> tuple[str, str]:
        """
        Return *value* as JSON text, and what is doubtful about it, or ``""``.

        Raises:
            LocalProtocolError: JSON cannot carry it.
            jsonschema.ValidationError: The schema refuses it.
        """
        value = json_text.checked(value)
        if not self.allows(value):
            self._schema.check(value)
        return json_text.dumps(value).decode(), of_value(value)

    def problem(self, value: Any) -> str | None:
        """Return why the schema refuses *value*, or ``None`` if it allows it."""
        problem = None if self.allows(value) else self._schema.problem(value)
        return None if problem is None else str(problem.message)

    def point(self, n: int, point: Any, tell: Tell) -> tuple[float, str]:
        """
        Return the time of a point, the *n*-th that the user gave for this stream, and its value as JSON text; *tell* what is doubtful.

        Raises:
            LocalProtocolError: It is not a datapoint, its time makes no sense, or as in `text`.
            jsonschema.ValidationError: As in `text`.
        """
        where = f"point {n} for {self.row.name!r}"
        if not isinstance(point, Mapping) or "t" not in point or "d" not in point:
            raise LocalProtocolError(f"{where} is {point!r}: expected {{'t': seconds since 1970, 'd': value}}")
        t = point["t"]
        if not _is_number(t) or not 0 < t < 2**63 or not isfinite(t):
            raise LocalProtocolError(f"{where} has the time {t!r}: expected seconds since 1970, more than 0")
        text, doubt = self.text(point["d"])
        t = float(t)
        if doubt := of_time(t) or doubt:
            tell(f"{where} has {doubt}")
        return t, text

    def points(self, given: Iterable[Any], tell: Tell) -> Columns:
        """
        Return the times of points that the user gave, and their values as JSON text; *tell* what is doubtful.

        Raises:
            LocalProtocolError: As in `point`.
            jsonschema.ValidationError: As in `text`.
        """
        given = list(given)
        return self._numbers(given) or Columns.of([self.point(n, point, tell) for n, point in enumerate(given)])

    def _numbers(self, given: list[Any]) -> Columns | None:
        """
        Return the same as `points`, quickly, if all values are plain numbers and no point is wrong or doubtful; otherwise ``None``.

        What is wrong is said by `point`, so that there is one place for the messages.
        """
        if not _DICT.issuperset(map(type, given)):
            return None
        try:
            times, values = [point["t"] for point in given], [point["d"] for point in given]
            kinds, kinds_of_times = set(map(type, values)), set(map(type, times))
            if not (
                _NUMBERS.issuperset(kinds_of_times)
                and _NUMBERS.issuperset(kinds)
                and self._schema.allows_kinds(kinds)
                and all(map(isfinite, values))
            ):
                return None
            if int in kinds_of_times:
                times = list(map(float, times))
        except (KeyError, OverflowError):
            return None
        if not values or (int in kinds and not -EXACT <= min(values) <= max(values) <= EXACT):
            return None
        points = Columns(times, json_text.dumps(values).decode()[1:-1].split(","))
        # if each time is later than the one before, none of them is NaN
        return points if points.rises and 0 < points.times[0] and points.times[-1] < LATE else None

    def seconds(self, t: Time, now: float) -> float:
        """
        Return a time that the user gave for a point, as seconds since 1970.

        Raises:
            LocalProtocolError: It is not a time, or not after 1970: the server would replace it by its own time.
        """
        seconds = to_seconds(t, now)
        if not 0 < seconds < 2**63:
            raise LocalProtocolError(
                f"a point for {self.row.name!r} has the time {t!r}: expected one after the beginning of 1970"
            )
        return seconds

    @property
    def document(self) -> dict[str, Any]:
        """The schema as a dict, which is a copy."""
        document = self._schema.document
        if isinstance(document, dict):
            return cast("dict[str, Any]", json_text.loads(json_text.dumps(document)))
        return {} if document else {"not": {}}


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _schema(row: StreamRow) -> schemas.Schema:
    usable = schemas.usable(row.schema)
    if usable is None:
        # it came from a server or from an older file: the server will check the values
        log.warning("values for %s are not checked here, as its schema cannot be used: %s", row.name, row.schema)
    return usable or schemas.schema(None)


def text_of(fields: Mapping[str, Any]) -> str:
    """Return the schema in a server's answer as text, spelt as the file has schemas."""
    given = str(fields.get("schema") or "{}")
    usable = schemas.usable(given)
    return given if usable is None else usable.text


def comparable(schema: str) -> str:
    """Return a text that is the same for all schemas that are equal, whatever the order of their keys or the spelling of numbers."""
    try:
        return json.dumps(json_text.as_stored(json_text.loads(schema)), sort_keys=True)
    except ValueError:
        return schema


def device(server: Server) -> Path:
    """
    Return the path of the device whose key the Logger has.

    Raises:
        LoggerError: The Logger has no key.
        AuthenticationError: The server does not know the key.
    """
    try:
        caller = server.call(rest.whoami())
    except AuthenticationError as refused:
        if refused.status != 401:
            raise
        raise AuthenticationError(
            f"{server.address} did not accept the Logger's apikey: {refused.message.removesuffix('.')}; "
            "is it a key of this server, and the newest one of its device?",
            status=refused.status,
            code=refused.code,
            ref=refused.ref,
            method=refused.method,
            path=refused.path,
        ) from refused
    if caller.depth < 2:
        raise LoggerError(
            f"the Logger has no API key for {server.address}: assign that of the device that logs to the Logger's apikey"
        )
    return caller


def is_away(error: ConnectorDBError) -> bool:
    """Tell whether a server cannot be asked now: there is no connection, it is in trouble, or a proxy or portal answers in its place."""
    return isinstance(error, (ConnectionFailed, ServerError)) or error.status == 429


def take_over(store: Store, server: Server, name: str, path: Path, properties: Mapping[str, Any]) -> None:
    """
    Add a stream that exists on the server, with the schema that it has there.

    Raises:
        LoggerError: It does not exist.
    """
    try:
        fields = server.call(rest.read(path))
    except NotFound as error:
        raise LoggerError(
            f"the stream {str(path)!r} is not there: give addStream a schema, and it will be created"
        ) from error
    store.catalogue.put_stream(name, text_of(fields), _known(properties, fields))


def bring_to_server(store: Store, server: Server, stream: StreamRow, path: Path) -> bool:
    """
    Create a declared stream on the server, unless it exists; then take over the schema that it has there.

    Args:
        store: Where the outcome is kept.
        server: The server.
        stream: The stream as it was declared.
        path: Its path.

    Returns:
        Whether the text of the stream's schema has changed.

    Raises:
        LoggerError: The server has another schema, and the stream is `strict`; nothing is kept.
    """
    try:
        fields = server.call(rest.read(path))
    except NotFound:
        log.info("creating %s", path)
        try:
            fields = server.call(rest.create(path, {**stream.properties, "schema": stream.schema}))
        except Conflict:  # another process of the same program was faster
            fields = server.call(rest.read(path))
    held = text_of(fields)
    if comparable(held) != comparable(stream.schema):
        what = f"{path} has the schema {held} on the server, not {stream.schema}"
        if stream.strict:
            raise LoggerError(f"{what}: give addStream that one, or on_schema='warn' to go by it")
        log.warning("%s: the server's holds", what)
    properties = _known(stream.properties, fields)
    store.catalogue.put_stream(stream.name, held, properties, declared=False, strict=stream.strict)
    return held != stream.schema


def _known(properties: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return *properties*, and with them the one that a server told and that matters here: whether the stream is ephemeral."""
    return {**properties, "ephemeral": True} if fields.get("ephemeral") else dict(properties)
