"""
Who may do what, as tables and the few functions that read them. Pure.

A caller has two roles: that of its user and that of its device. It may do what both grant, given the *relation* in which an object
stands to the caller. For each relation a role names a *level*, which says which actions are granted, and which *field sets* may be
read and written (``docs/topics/wire.rst``, "Permissions"). A user's role also limits how much its users may have. `DEFAULT` has the
tables of a 0.3 server; ``permission_files.py`` reads others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ...protocol.constants import RESERVED_USER_NAMES
from ..storage import Device, User
from .accounts import Caller

Relation = Literal["self", "own", "public", "private"]
Kind = Literal["user", "device", "stream"]
Counted = Literal["users", "devices", "streams"]
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

ACTIONS: frozenset[Action] = frozenset(get_args(Action))

#: The fields of each kind of object, as on the wire. A password can be written, but never read.
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
    What may be read of objects, or written.

    Attributes:
        fields: For each kind of object its fields. Objects of a kind that is missing here are out of reach altogether.
        data: Whether the points of streams are included.
        downlink: Whether the points of downlinks are included.
    """

    fields: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    data: bool = False
    downlink: bool = False

    def of(self, kind: Kind) -> frozenset[str] | None:
        """Return the fields for objects of a kind; `None` if these are out of reach."""
        return self.fields.get(kind)

    def __and__(self, other: FieldSet) -> FieldSet:
        """Return what is in both."""
        both = {kind: fields & other.fields[kind] for kind, fields in self.fields.items() if kind in other.fields}
        return FieldSet(both, self.data and other.data, self.downlink and other.downlink)


@dataclass(frozen=True, slots=True)
class Level:
    """What is granted: actions, and what may be read and written."""

    actions: frozenset[Action] = frozenset()
    read: FieldSet = FieldSet()
    write: FieldSet = FieldSet()

    def __and__(self, other: Level) -> Level:
        """Return what both grant."""
        return Level(self.actions & other.actions, self.read & other.read, self.write & other.write)


@dataclass(frozen=True, slots=True)
class Role:
    """
    What a role grants, of a device or a user.

    Attributes:
        levels: The name of the level for each relation.
        counts: Which kinds of objects may be counted on the whole server.
    """

    levels: Mapping[Relation, str]
    counts: frozenset[Counted] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How much a user may have; 0 means no limit.

    Attributes:
        devices: Devices, including those that every user has.
        private_devices: Devices that are not public, including those that every user has.
        streams: Streams of one device.
        device_bytes: Bytes of all points of one device, as JSON text.
        stream_bytes: Bytes of the points of one stream, or of its downlink, as JSON text.
    """

    devices: int = 0
    private_devices: int = 0
    streams: int = 0
    device_bytes: int = 0
    stream_bytes: int = 0


@dataclass(frozen=True, slots=True)
class UserRole(Role):
    """
    What a user's role grants.

    Attributes:
        may_be_private: Whether its users may be private.
        limits: How much its users may have.
        may_join: Whether its users (for ``"nobody"``: everybody who is not logged in) may create users with ``POST /join``.
        join_role: The role of users who are created in this way.
        join_refusal: What those who may not do this are told.
        defaults: For each kind of object, default values of fields for objects that such a user creates. Fields that are not in
            here are empty or false.
    """

    may_be_private: bool = False
    limits: Limits = Limits()
    may_join: bool = False
    join_role: str = "user"
    join_refusal: str = ""
    defaults: Mapping[Kind, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permissions:
    """
    The tables of a server.

    Attributes:
        user_roles: Roles of users by name. Must have ``"nobody"``, which is used for unknown roles and anonymous callers.
        device_roles: Roles of devices by name. Must have ``"user"``, and ``"none"``, which is used for ``""`` and unknown roles.
        levels: Levels by name.
        reserved_names: Names that no user may have, compared exactly.
        email_suffixes: Users' email addresses must end in one of these; `None` for any address.
        most_users: How many users there may be; 0 for no limit.
        watch: Whether to read the file that this comes from again when it is saved.
    """

    user_roles: Mapping[str, UserRole]
    device_roles: Mapping[str, Role]
    levels: Mapping[str, Level]
    reserved_names: frozenset[str] = RESERVED_USER_NAMES
    email_suffixes: tuple[str, ...] | None = None
    most_users: int = 0
    watch: bool = True
    _known: dict[tuple[str, str], Level] = field(default_factory=dict, compare=False, repr=False)

    def user_role(self, user: User | None) -> UserRole:
        """Return the role of a user, or of a caller who is not logged in."""
        found = self.user_roles.get(user.role) if user is not None else None
        return found or self.user_roles["nobody"]

    def roles(self, caller: Caller) -> tuple[UserRole, Role]:
        """Return the caller's two roles: the user's and the device's."""
        device = self.device_roles.get(caller.device.role if caller.device else "user")
        return self.user_role(caller.user), device or self.device_roles["none"]

    def rights(self, caller: Caller, relation: Relation) -> Level:
        """Return what the caller may do with objects that stand in this relation to it."""
        user_role, device_role = self.roles(caller)
        names = user_role.levels[relation], device_role.levels[relation]
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = self.levels[names[0]] & self.levels[names[1]]
        return known

    def access(self, caller: Caller, user: User, device: Device | None = None) -> Level:
        """Return what the caller may do with a user; or if given, with *device*, its streams and their points."""
        return self.rights(caller, relation(caller, user, device))

    def may_count(self, caller: Caller, what: Counted) -> bool:
        """Tell whether the caller may count all users, devices or streams of the server."""
        return all(what in role.counts for role in self.roles(caller))


def relation(caller: Caller, user: User, device: Device | None = None) -> Relation:
    """Return the relation of a user, or if given, of one of its devices, to the caller. Of a device only its own flag ``public`` counts."""
    if device is not None and caller.device is not None and device.id == caller.device.id:
        return "self"
    if caller.user is not None and user.id == caller.user.id:
        return "own"
    return "public" if (user if device is None else device).public else "private"


# --- the default tables -----------------------------------------------------------------------------------------------

#: Fields that only some field sets have. All other fields are in every set.
_SPECIAL = (
    *("user.name", "user.email", "user.role", "user.password", "device.name", "device.apikey"),
    *("device.user_editable", "device.role", "stream.name"),
)


def _field_set(special: str, *, data: bool = False, downlink: bool = False) -> FieldSet:
    """Return a field set with all fields that are not special, and the special ones named in *special*."""
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

#: The field sets, by the names that permission files use.
FIELD_SETS: Mapping[str, FieldSet] = {
    "none": FieldSet(),
    "publicread": _field_set(_NAMES, data=True, downlink=True),
    "selfread": _field_set(
        f"{_NAMES} user.email user.role device.apikey device.user_editable device.role", data=True, downlink=True
    ),
    "deviceread": _field_set(
        f"{_NAMES} user.email user.role device.user_editable device.role", data=True, downlink=True
    ),
    "selfwrite": _field_set("user.email user.password device.apikey device.role", data=True, downlink=True),
    "devicewrite": _field_set("user.email device.name device.user_editable stream.name", downlink=True),
    "fulldevicewrite": _field_set("user.email device.apikey device.user_editable", data=True),
    "fulldownlinkwrite": _field_set(" ".join(_SPECIAL), downlink=True),
    "full": _field_set(" ".join(_SPECIAL), data=True, downlink=True),
}


def _level(actions: frozenset[Action], read: str, write: str) -> Level:
    return Level(actions, FIELD_SETS[read], FIELD_SETS[write])


_LIST_BELOW: frozenset[Action] = frozenset(("list devices", "list streams"))
_OWN_TREE = ACTIONS - {"create user", "delete user", "list users"}

_LEVELS = {
    "none": Level(),
    "userpublic": _level(_LIST_BELOW, "publicread", "none"),
    "userself": _level(_OWN_TREE, "selfread", "selfwrite"),
    "devicereader": _level(_LIST_BELOW, "deviceread", "none"),
    "devicewriter": _level(_LIST_BELOW, "deviceread", "devicewrite"),
    "fulldevice": _level(ACTIONS - {"delete user"}, "full", "fulldevicewrite"),
    "fulldownlink": _level(ACTIONS, "full", "fulldownlinkwrite"),
    "fullnp": _level(ACTIONS, "selfread", "full"),
    "full": _level(ACTIONS, "full", "full"),
}

_COUNTED: frozenset[Counted] = frozenset(("users", "devices", "streams"))

#: The default values for devices.
_DEVICE = {"enabled": True, "visible": True, "user_editable": True}


def _by_relation(own_self: str, own: str, public: str, private: str) -> Mapping[Relation, str]:
    return {"self": own_self, "own": own, "public": public, "private": private}


#: The permissions of a 0.3 server by default.
DEFAULT = Permissions(
    user_roles={
        "nobody": UserRole(
            _by_relation("none", "none", "none", "none"), join_refusal="You must be logged in to add users"
        ),
        "user": UserRole(
            _by_relation("userself", "userself", "userpublic", "none"),
            may_be_private=True,
            join_refusal="You must be logged in as admin to add users",
            defaults={"device": _DEVICE},
        ),
        "admin": UserRole(
            _by_relation("fullnp", "fullnp", "fullnp", "fullnp"),
            _COUNTED,
            may_be_private=True,
            may_join=True,
            join_refusal="Join is disabled",
            defaults={"user": {"role": "user", "public": True}, "device": {**_DEVICE, "role": "none"}},
        ),
    },
    device_roles={
        "none": Role(_by_relation("fulldevice", "none", "none", "none")),
        "reader": Role(_by_relation("fulldevice", "devicereader", "devicereader", "devicereader")),
        "writer": Role(_by_relation("fulldevice", "devicewriter", "devicewriter", "devicewriter")),
        "user": Role(_by_relation("full", "fulldownlink", "fulldownlink", "fulldownlink"), _COUNTED),
    },
    levels=_LEVELS,
)
