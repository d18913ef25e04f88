"""
Who may do what, as tables and the few functions that read them; pure.

Access is the intersection of what two roles grant for the *relation* of an object to the caller: that of the caller's user
and that of the calling device. A role names a *level* per relation; a level says which actions it grants, and which *field
set* reading and writing use (``docs/topics/wire.rst``, "Permissions"). `DEFAULT` holds the tables of a 0.3 server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .accounts import Caller
from .storage import Device, User

Relation = Literal["self", "own", "public", "private"]
Kind = Literal["user", "device", "stream"]
Action = Literal[
    "create user",
    "create device",
    "create stream",
    "delete user",
    "delete device",
    "delete stream",
    "list users",
    "list devices",
    "list streams",
]

#: The fields of each kind of object, as they travel. A password is written and never read.
FIELDS: Mapping[Kind, tuple[str, ...]] = {
    "user": ("name", "nickname", "email", "description", "icon", "role", "public", "password"),
    "device": (
        *("name", "nickname", "description", "icon", "apikey", "enabled", "public", "role", "visible", "user_editable"),
    ),
    "stream": ("name", "nickname", "description", "icon", "schema", "datatype", "ephemeral", "downlink"),
}


@dataclass(frozen=True, slots=True)
class FieldSet:
    """
    What of an object may be read, or written.

    Attributes:
        fields: Per kind of object its fields; a kind that is not in it is out of reach altogether.
        data: Whether the points of streams are included.
        downlink: Whether the points of downlinks are.
    """

    fields: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    data: bool = False
    downlink: bool = False

    def of(self, kind: Kind) -> frozenset[str] | None:
        """Return the fields of such an object, or `None` if it is out of reach."""
        return self.fields.get(kind)

    def __and__(self, other: FieldSet) -> FieldSet:
        """Return what is in both."""
        both = {kind: fields & other.fields[kind] for kind, fields in self.fields.items() if kind in other.fields}
        return FieldSet(both, self.data and other.data, self.downlink and other.downlink)


@dataclass(frozen=True, slots=True)
class Level:
    """What is granted: actions, and what reading and writing comprise."""

    actions: frozenset[Action] = frozenset()
    read: FieldSet = FieldSet()
    write: FieldSet = FieldSet()

    def __and__(self, other: Level) -> Level:
        """Return what both grant."""
        return Level(self.actions & other.actions, self.read & other.read, self.write & other.write)


@dataclass(frozen=True, slots=True)
class Role:
    """
    The names of the levels that a role grants, by relation.

    Attributes:
        may_count: Whether it may count all users, devices and streams.
        may_be_private: Of a user's role: whether its users may hide.
        device_role: Of a user's role: the role of a device that such a user makes, if none is given.
    """

    levels: Mapping[Relation, str]
    may_count: bool = False
    may_be_private: bool = True
    device_role: str = ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """
    The tables of a server.

    Attributes:
        user_roles: By name; ``"nobody"`` must be there, and stands for unknown ones and for anonymous callers.
        device_roles: By name; ``"none"`` and ``"user"`` must be there, the first stands for unknown ones and ``""``.
        levels: What the roles name.
        user_role: The role of a user who is made without one.
    """

    user_roles: Mapping[str, Role]
    device_roles: Mapping[str, Role]
    levels: Mapping[str, Level]
    user_role: str = "user"
    _known: dict[tuple[str, str], Level] = field(default_factory=dict, compare=False, repr=False)

    def roles(self, caller: Caller) -> tuple[Role, Role]:
        """Return the caller's two roles: the user's and the device's."""
        user = self.user_roles.get(caller.user.role if caller.user else "nobody")
        device = self.device_roles.get(caller.device.role if caller.device else "user")
        return user or self.user_roles["nobody"], device or self.device_roles["none"]

    def rights(self, caller: Caller, relation: Relation) -> Level:
        """Return what the caller may do to objects in this relation to it."""
        user_role, device_role = self.roles(caller)
        names = user_role.levels[relation], device_role.levels[relation]
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = self.levels[names[0]] & self.levels[names[1]]
        return known

    def access(self, caller: Caller, user: User, device: Device | None = None) -> Level:
        """Return what the caller may do to a user; with *device*, to that device, its streams and their points."""
        return self.rights(caller, relation(caller, user, device))

    def may_count(self, caller: Caller) -> bool:
        """Tell whether the caller may count all that there is."""
        return all(role.may_count for role in self.roles(caller))


def relation(caller: Caller, user: User, device: Device | None = None) -> Relation:
    """Return how a user or, if given, one of its devices stands to the caller; only the device's own flag counts for it."""
    if device is not None and caller.device is not None and device.id == caller.device.id:
        return "self"
    if caller.user is not None and user.id == caller.user.id:
        return "own"
    return "public" if (user if device is None else device).public else "private"


# --- the default tables -----------------------------------------------------------------------------------------------

#: Fields that not every field set has; those that are in none of these columns are in all of them.
_SPECIAL = (
    *("user.name", "user.email", "user.role", "user.password", "device.name", "device.apikey"),
    *("device.user_editable", "device.role", "stream.name"),
)


def _field_set(special: str, *, data: bool = False, downlink: bool = False) -> FieldSet:
    """Return a set with the special fields named in *special*, and all that are not special."""
    granted = special.split()
    return FieldSet(
        {
            kind: frozenset(name for name in names if f"{kind}.{name}" not in _SPECIAL or f"{kind}.{name}" in granted)
            for kind, names in FIELDS.items()
        },
        data,
        downlink,
    )


_NAMES = "user.name device.name stream.name"
_PUBLIC_READ = _field_set(_NAMES, data=True, downlink=True)
_SELF_READ = _field_set(
    f"{_NAMES} user.email user.role device.apikey device.user_editable device.role", data=True, downlink=True
)
_DEVICE_READ = _field_set(f"{_NAMES} user.email user.role device.user_editable device.role", data=True, downlink=True)
_SELF_WRITE = _field_set("user.email user.password device.apikey device.role", data=True, downlink=True)
_DEVICE_WRITE = _field_set("user.email device.name device.user_editable stream.name", downlink=True)
_FULL_DEVICE_WRITE = _field_set("user.email device.apikey device.user_editable", data=True)
_FULL_DOWNLINK_WRITE = _field_set(" ".join(_SPECIAL), downlink=True)
_ALL = _field_set(" ".join(_SPECIAL), data=True, downlink=True)

_LIST_BELOW: frozenset[Action] = frozenset(("list devices", "list streams"))
_EVERYTHING: frozenset[Action] = frozenset(
    (
        *("create user", "create device", "create stream", "delete user", "delete device", "delete stream"),
        *("list users", "list devices", "list streams"),
    )
)
_OWN_TREE = _EVERYTHING - {"create user", "delete user", "list users"}

_LEVELS = {
    "none": Level(),
    "userpublic": Level(_LIST_BELOW, _PUBLIC_READ),
    "userself": Level(_OWN_TREE, _SELF_READ, _SELF_WRITE),
    "devicereader": Level(_LIST_BELOW, _DEVICE_READ),
    "devicewriter": Level(_LIST_BELOW, _DEVICE_READ, _DEVICE_WRITE),
    "fulldevice": Level(_EVERYTHING - {"delete user"}, _ALL, _FULL_DEVICE_WRITE),
    "fulldownlink": Level(_EVERYTHING, _ALL, _FULL_DOWNLINK_WRITE),
    "fullnp": Level(_EVERYTHING, _SELF_READ, _ALL),
    "full": Level(_EVERYTHING, _ALL, _ALL),
}


def _role(own_self: str, own: str, public: str, private: str, **others: bool | str) -> Role:
    return Role({"self": own_self, "own": own, "public": public, "private": private}, **others)  # type: ignore[arg-type]


#: What a 0.3 server does unless it is told otherwise.
DEFAULT = Permissions(
    user_roles={
        "nobody": _role("none", "none", "none", "none", may_be_private=False),
        "user": _role("userself", "userself", "userpublic", "none"),
        "admin": _role("fullnp", "fullnp", "fullnp", "fullnp", may_count=True, device_role="none"),
    },
    device_roles={
        "none": _role("fulldevice", "none", "none", "none"),
        "reader": _role("fulldevice", "devicereader", "devicereader", "devicereader"),
        "writer": _role("fulldevice", "devicewriter", "devicewriter", "devicewriter"),
        "user": _role("full", "fulldownlink", "fulldownlink", "fulldownlink", may_count=True),
    },
    levels=_LEVELS,
)
