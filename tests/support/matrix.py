"""
Who may do what, written down a second time: as the table that people read (``docs/topics/wire.rst``, "Permissions"), worked out per
caller and relation, not as levels that are intersected. What a server does is held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["user", "device", "stream"]
Relation = Literal["self", "own", "public", "private"]

FIELDS: Mapping[Kind, tuple[str, ...]] = {
    "user": ("name", "nickname", "email", "description", "icon", "role", "public"),
    "device": (
        *("name", "nickname", "description", "icon", "apikey", "enabled", "public", "role", "visible", "user_editable"),
    ),
    "stream": ("name", "nickname", "description", "icon", "schema", "datatype", "ephemeral", "downlink"),
}

USER_ROLES = ("user", "admin", "nobody", "unknown")
DEVICE_ROLES = ("none", "", "unknown", "reader", "writer", "user")


@dataclass(frozen=True)
class Grant:
    """
    What a caller may do to objects in one relation.

    Attributes:
        reads: Per kind the fields that it sees; a kind that is missing is out of reach.
        writes: Per kind the fields that it may change.
        may: ``"read data"``, ``"read downlink"``, ``"write data"``, ``"write downlink"``, ``"create device"``, and so on.
    """

    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    writes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    may: frozenset[str] = frozenset()


def _but(kind: Kind, *left_out: str) -> str:
    return " ".join(name for name in FIELDS[kind] if name not in left_out)


def _grant(may: str = "", reads: Mapping[str, str] | None = None, writes: Mapping[str, str] | None = None) -> Grant:
    def fields(table: Mapping[str, str] | None) -> dict[str, frozenset[str]]:
        return {kind: frozenset(names.split()) for kind, names in (table or {}).items()}

    return Grant(fields(reads), fields(writes), frozenset(filter(None, may.split(", "))))


NOTHING = Grant()

_ALL = {"user": _but("user"), "device": _but("device"), "stream": _but("stream")}
_POINTS = "read data, read downlink"
_LIST = "list devices, list streams"
_ON_SELF = "create stream, delete stream, delete device, list streams"

# a device that is limited to itself
_ITSELF = _grant(
    f"{_POINTS}, write data, {_ON_SELF}",
    _ALL,
    {
        "device": "nickname description icon apikey enabled visible public",
        "stream": _but("stream", "name"),
    },
)
_ITSELF_OF_ADMIN = _grant(
    f"{_POINTS}, write data, {_ON_SELF}",
    _ALL,
    {
        "device": "nickname description icon apikey enabled visible public user_editable",
        "stream": _but("stream", "name"),
    },
)
_READS = _grant(f"{_POINTS}, {_LIST}", {**_ALL, "device": _but("device", "apikey")})
_READS_PUBLIC = _grant(
    f"{_POINTS}, {_LIST}",
    {
        "user": _but("user", "email", "role"),
        "device": _but("device", "apikey", "role", "user_editable"),
        "stream": _but("stream"),
    },
)
_CHANGED_BY_WRITERS = "nickname email description icon public"
_WRITES = _grant(
    f"{_POINTS}, {_LIST}, write downlink",
    _READS_TABLE := {**_ALL, "device": _but("device", "apikey")},
    {
        "user": _CHANGED_BY_WRITERS,
        "device": "nickname description icon enabled visible public",
        "stream": _but("stream", "name"),
    },
)
_WRITES_OF_ADMIN = _grant(
    f"{_POINTS}, {_LIST}, write downlink",
    _READS_TABLE,
    {"user": _CHANGED_BY_WRITERS, "device": _but("device", "apikey", "role"), "stream": _but("stream")},
)
_PERSON_ITSELF = _grant(
    f"{_POINTS}, write data, write downlink, {_ON_SELF}",
    _ALL,
    {"device": _but("device", "name", "user_editable"), "stream": _but("stream", "name")},
)
_PERSON = _grant(
    f"{_POINTS}, {_LIST}, write downlink, create device, create stream, delete device, delete stream",
    _ALL,
    {
        "user": f"{_CHANGED_BY_WRITERS} password",
        "device": _but("device", "name", "user_editable"),
        "stream": _but("stream", "name"),
    },
)
_EVERYTHING = "create device, create stream, delete user, delete device, delete stream"
_ADMIN_ITSELF = _grant(
    f"{_POINTS}, write data, write downlink, {_LIST}, {_EVERYTHING}",
    _ALL,
    {"device": _but("device"), "stream": _but("stream")},
)
_ADMIN = _grant(
    f"{_POINTS}, {_LIST}, write downlink, {_EVERYTHING}",
    _ALL,
    {"user": f"{_but('user')} password", "device": _but("device"), "stream": _but("stream")},
)

_TABLE: Mapping[tuple[str, str], Mapping[Relation, Grant]] = {
    ("user", "none"): {"self": _ITSELF},
    ("user", "reader"): {"self": _ITSELF, "own": _READS, "public": _READS_PUBLIC},
    ("user", "writer"): {"self": _ITSELF, "own": _WRITES, "public": _READS_PUBLIC},
    ("user", "user"): {"self": _PERSON_ITSELF, "own": _PERSON, "public": _READS_PUBLIC},
    ("admin", "none"): {"self": _ITSELF_OF_ADMIN},
    ("admin", "reader"): {"self": _ITSELF_OF_ADMIN, "own": _READS, "public": _READS, "private": _READS},
    ("admin", "writer"): {
        **dict.fromkeys(("own", "public", "private"), _WRITES_OF_ADMIN),
        "self": _ITSELF_OF_ADMIN,
    },
    ("admin", "user"): {**dict.fromkeys(("own", "public", "private"), _ADMIN), "self": _ADMIN_ITSELF},
}


def granted(user_role: str, device_role: str, relation: Relation) -> Grant:
    """Return what a device of this role, of a user of that role, may do to objects in a relation to it."""
    device_role = "none" if device_role in ("", "unknown") else device_role
    return _TABLE.get((user_role, device_role), {}).get(relation, NOTHING)


def governs(user_role: str, device_role: str) -> bool:
    """Tell whether such a device lists and makes users, and counts all that there is."""
    return (user_role, device_role) == ("admin", "user")


def pairs() -> Iterator[tuple[str, str]]:
    """Yield all pairs of a user's and a device's role."""
    yield from ((user_role, device_role) for user_role in USER_ROLES for device_role in DEVICE_ROLES)
