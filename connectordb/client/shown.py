"""The tables that notebooks, and terminals with rich, show for a stream, device or user: read when shown, within seconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..exceptions import ConnectorDBError
from ..runtime.clock import Deadline

if TYPE_CHECKING:
    from rich.console import Group

    from ..display import Sheet
    from .resource import ConnectorObject
    from .stream import Stream

#: Seconds that showing something may take: whoever evaluates an object at a prompt does not expect a request.
_PATIENCE = 2.0

#: How many points a stream shows.
_NEWEST = 40


class Shown:
    """An object that notebooks and rich show as a table."""

    def _sheet(self) -> Sheet:
        """Return the table."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """Return a table, for notebooks."""
        from ..display import to_html

        return to_html(self._sheet())

    def __rich__(self) -> Group:
        """Return a table, for the library rich."""
        from ..display import to_rich

        return to_rich(self._sheet())


def of_stream(stream: Stream) -> Sheet:
    """Return a table of a stream's newest points, and how many points it has."""
    from ..display import of_points

    def read() -> Sheet:
        total = len(stream)
        points = stream[-_NEWEST:]
        return of_points(points, _title(stream), total, max(0, total - len(points)))

    return _in_time(stream, read)


def of_listed(above: ConnectorObject, what: str, listed: Callable[[], list[Any]]) -> Sheet:
    """Return a table of what is below a user or a device: names, nicknames, kinds and descriptions."""
    from ..display import Sheet

    def read() -> Sheet:
        found = listed()
        rows = tuple(
            (each.name, each.data.get("nickname", ""), _kind(each.data), each.data.get("description", ""))
            for each in found
        )
        return Sheet(
            _title(above),
            ("name", "nickname", "", "description"),
            rows,
            f"{len(rows):,} {what}{'' if len(rows) == 1 else 's'}",
        )

    return _in_time(above, read)


def _in_time(thing: ConnectorObject, read: Callable[[], Sheet]) -> Sheet:
    from ..display import Sheet

    try:
        with thing._session.within(Deadline(_PATIENCE)):
            return read()
    except ConnectorDBError as error:
        return Sheet(_title(thing), (), (), f"nothing to show: {error}")


def _title(thing: ConnectorObject) -> str:
    place = thing._place or thing._session.path_if_known
    return f"{type(thing).__name__} {place or ''} at {thing._session.url}"


def _kind(fields: dict[str, Any]) -> str:
    """Return a stream's type and unit, as its schema says them, and whether it is a downlink or ephemeral."""
    try:
        schema = json.loads(fields.get("schema", "{}"))
    except ValueError:
        schema = {}
    said = [schema.get(name) for name in ("type", "unit")] if isinstance(schema, dict) else []
    words = [word for word in said if isinstance(word, str)]
    return ", ".join([*words, *(word for word in ("downlink", "ephemeral") if fields.get(word))])
