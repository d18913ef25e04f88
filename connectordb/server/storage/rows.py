"""Users, devices and streams as rows, in the tables of one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields as dataclass_fields
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Generic, TypeVar

from ...runtime.sqlite import Connection
from .contract import Device, Gone, Stream, Taken, User

Row = TypeVar("Row", User, Device, Stream)


class Table(Generic[Row]):
    """
    The rows of one kind.

    Args:
        connection: Where they are.
        name: The table's name.
        kind: The dataclass of a row.
        parent: The column with the id of the row that a row belongs to, or ``""``.
    """

    def __init__(self, connection: Connection, name: str, kind: type[Row], parent: str = "") -> None:
        self._connection = connection
        self._name = name
        self._kind: Callable[..., Row] = kind
        self._parent = parent
        #: Whether a row was added, changed or removed since this was last set to False, which others do.
        self.changed = False
        columns = dataclass_fields(kind)
        self._columns = [column.name for column in columns]
        self._bools = [index for index, column in enumerate(columns) if column.type in ("bool", bool)]
        self._select = f"SELECT {', '.join(f'{name}.{column}' for column in self._columns)} FROM {name}"

    def made(self, values: tuple[Any, ...]) -> Row:
        """Return a row, given the values of its columns."""
        row = list(values)
        for index in self._bools:
            row[index] = bool(row[index])
        return self._kind(*row)

    def where(self, condition: str, *values: Any) -> Iterator[Row]:
        """Yield the rows for which *condition* holds, which may also order them."""
        # all fetched at once, as an open cursor would keep the read transaction open
        for row in self._connection.execute(f"{self._select} {condition}", values).fetchall():
            yield self.made(row)

    def one(self, condition: str, *values: Any) -> Row | None:
        """Return the first row for which *condition* holds."""
        row = self._connection.execute(f"{self._select} {condition} LIMIT 1", values).fetchone()
        return None if row is None else self.made(row)

    def get(self, id: int) -> Row:
        """
        Return the row with this id.

        Raises:
            Gone: There is none.
        """
        row = self.one("WHERE id = ?", id)
        if row is None:
            raise Gone(f"it is not there any more: nothing in {self._name} has the id {id}")
        return row

    def has(self, id: int) -> bool:
        """Tell whether there is a row with this id."""
        return self._connection.execute(f"SELECT 1 FROM {self._name} WHERE id = ?", (id,)).fetchone() is not None

    def count(self) -> int:
        """Return how many rows there are."""
        ((number,),) = self._connection.execute(f"SELECT count(*) FROM {self._name}")
        return int(number)

    def create(self, values: Mapping[str, Any]) -> Row:
        """Add a row, given all its columns except the id; raises `Taken`."""
        self.changed = True
        wanted = set(self._columns) - {"id"}
        if set(values) != wanted:
            raise ValueError(f"a row of {self._name} has the columns {sorted(wanted)}, not {sorted(values)}")
        self._check(values, id=0, parent=values.get(self._parent, 0))
        stored: dict[str, Any] = _stored(values)
        marks = ", ".join("?" * len(stored))
        self._connection.execute(
            f"INSERT INTO {self._name} ({', '.join(stored)}) VALUES ({marks})", tuple(stored.values())
        )
        return self.get(self._connection.last_insert_rowid())

    def update(self, id: int, values: Mapping[str, Any]) -> Row:
        """Change some columns of a row; raises `Taken` and `Gone`."""
        self.changed = True
        row = self.get(id)
        if unknown := set(values) - set(self._columns) | set(values) & {"id", self._parent}:
            raise ValueError(f"{sorted(unknown)} cannot be changed in {self._name}")
        if not values:
            return row
        self._check(values, id=id, parent=getattr(row, self._parent, 0))
        stored: dict[str, Any] = _stored(values)
        assignments = ", ".join(f"{name} = ?" for name in stored)
        self._connection.execute(f"UPDATE {self._name} SET {assignments} WHERE id = ?", (*stored.values(), id))
        return self.get(id)

    def delete(self, id: int) -> None:
        """Remove a row with all rows that belong to it."""
        self.changed = True
        self._connection.execute(f"DELETE FROM {self._name} WHERE id = ?", (id,))

    def _check(self, values: Mapping[str, Any], *, id: int, parent: int) -> None:
        """Raise `Taken` if another row has one of these values. Nobody else writes, so a value that is free now stays free."""
        if "name" in values:
            scope, inside = (f" AND {self._parent} = ?", (parent,)) if self._parent else ("", ())
            if self._others(f"name = ?{scope}", id, values["name"], *inside):
                raise Taken("name")
        if "email" in values and self._others("email = ?", id, values["email"]):
            raise Taken("email")
        if values.get("apikey") and self._others("key_digest = ?", id, key_digest(values["apikey"])):
            raise Taken("apikey")

    def _others(self, condition: str, id: int, *values: Any) -> bool:
        sql = f"SELECT 1 FROM {self._name} WHERE {condition} AND id != ?"
        return self._connection.execute(sql, (*values, id)).fetchone() is not None


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* with the columns that are computed from others."""
    if "apikey" not in values:
        return dict(values)
    return {**values, "key_digest": key_digest(values["apikey"])}


def key_digest(apikey: str) -> bytes | None:
    """Return the digest by which an API key is looked up; `None` for an empty key."""
    # "surrogatepass", because a client may send any text
    return sha256(apikey.encode("utf-8", "surrogatepass")).digest() if apikey else None


def same_key(one: str, other: str) -> bool:
    """Compare two keys, in a time that does not depend on where they differ."""
    return compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
