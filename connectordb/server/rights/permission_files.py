"""
Reading permission files into `Permissions`: JSON with comments, as 0.3 servers read and write them (``docs/howto/permissions.rst``).

Errors name the line and the key, and say what was expected. The keys are those of 0.3, in any case. An unknown key, which a 0.3
server ignores, is an error, as it is more often than not a misspelt restriction.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from ...exceptions import ConfigurationError
from ..refusal import Refusal
from ..values import check_texts, compact_schema
from .commented_json import Malformed, Node, loads
from .permissions import (
    FIELD_SETS,
    FIELDS,
    Action,
    Counted,
    FieldSet,
    Kind,
    Level,
    Limits,
    Permissions,
    Relation,
    Role,
    UserRole,
)

T = TypeVar("T")

#: The version of the format.
VERSION = 1

#: Levels and field sets that exist without being in the file.
BUILT_IN = ("none", "full")

#: What the keys in the file mean.
LEVEL_KEYS: Mapping[str, Relation] = {
    "private_access_level": "private",
    "public_access_level": "public",
    "user_access_level": "own",
    "self_access_level": "self",
}
COUNT_KEYS: Mapping[str, Counted] = {
    "CanCountUsers": "users",
    "CanCountDevices": "devices",
    "CanCountStreams": "streams",
}
LIMIT_KEYS = {
    "max_devices": "devices",
    "max_streams": "streams",
    "max_device_size": "device_bytes",
    "max_stream_size": "stream_bytes",
    "max_private_devices": "private_devices",
}
ACTION_KEYS: Mapping[str, Action] = {f"can_{action.replace(' ', '_')}": action for action in get_args(Action)}
KIND_KEYS: Mapping[str, Kind] = {f"can_access_{kind}": kind for kind in FIELDS}
FIELD_KEYS: Mapping[str, tuple[Kind, str]] = {
    f"{kind}_{name}": (kind, name) for kind, names in FIELDS.items() for name in names
}

#: The fields that have defaults, with their types.
DEFAULT_KEYS: Mapping[Kind, Mapping[str, type]] = {
    "user": {**dict.fromkeys(("nickname", "description", "icon", "role"), str), "public": bool},
    "device": {
        **dict.fromkeys(("nickname", "description", "icon", "role"), str),
        **dict.fromkeys(("enabled", "public", "visible", "user_editable"), bool),
    },
    "stream": {
        **dict.fromkeys(("nickname", "description", "icon", "schema", "datatype"), str),
        **dict.fromkeys(("ephemeral", "downlink"), bool),
    },
}

_FILE: Mapping[str, type] = {
    "version": int,
    "watch": bool,
    "max_users": int,
    **dict.fromkeys(("disallow_names", "allowed_email_suffixes"), list),
    **dict.fromkeys(("user_roles", "device_roles", "access_levels", "rw_access"), dict),
}
_ROLE: Mapping[str, type] = {**dict.fromkeys(LEVEL_KEYS, str), **dict.fromkeys(COUNT_KEYS, bool)}
_USER_ROLE: Mapping[str, type] = {
    **_ROLE,
    **dict.fromkeys(LIMIT_KEYS, int),
    **dict.fromkeys(("join", "user_can_be_private"), bool),
    **dict.fromkeys(("join_role", "join_disabled_message"), str),
    **{f"create_{kind}_defaults": dict for kind in DEFAULT_KEYS},
}
# both have a few keys more, which have no effect here or in 0.3
_LEVEL: Mapping[str, type] = {
    **dict.fromkeys((*ACTION_KEYS, "can_subscribe_to_stream"), bool),
    **dict.fromkeys(("read_access", "write_access"), str),
}
_FIELD_SET: Mapping[str, type] = dict.fromkeys(
    (
        *KIND_KEYS,
        *("can_access_stream_data", "can_access_stream_downlink", "can_access_non_user_editable_devices"),
        *FIELD_KEYS,
    ),
    bool,
)

_EXPECTED = {bool: "true or false", int: "an integer", str: "a text", list: "a list", dict: "an object"}


class _Fault(Exception):
    """Something in the file is not valid."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def load(path: str | os.PathLike[str]) -> Permissions:
    """
    Return the permissions in a file.

    Raises:
        ConfigurationError: It cannot be read, or something in it is not valid.
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"reading the permissions {name!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"reading the permissions {name!r}: it is no UTF-8 text") from error
    return parse(text, name)


def parse(text: str, name: str = "permissions") -> Permissions:
    """Return the permissions in the text of a file; *name* is what errors call it."""
    try:
        return _permissions(_Object("", loads(text), _FILE))
    except Malformed as error:
        raise ConfigurationError(f"{name}, line {error.line}: this is no JSON: {error.why}") from error
    except _Fault as fault:
        raise ConfigurationError(f"{name}, line {fault.line}: {fault}") from fault


class _Object:
    """
    An object of the file whose keys, and the types of whose values, have been checked.

    Args:
        at: Where it is, for errors, such as ``"user_roles.user"``.
        node: The object.
        known: The keys that are allowed, with the types of their values; `None` for any keys, whose values are objects.
    """

    def __init__(self, at: str, node: Node, known: Mapping[str, type] | None) -> None:
        self.at = at
        self.line = node.line
        if not isinstance(node.value, dict):
            raise _Fault(node.line, f"{at or 'the file'} is {_shown(node)}; expected an object, {{…}}")
        self._members: dict[str, Node] = {}
        spellings = {key.lower(): key for key in known or ()}
        for key, member in node.value.items():
            proper = key if known is None else spellings.get(key.lower())
            if proper is None:
                raise _Fault(member.line, f"{self.of(key)} is not known; {_instead(key, spellings.values())}")
            kind = dict if known is None else known[proper]
            if member.value is None:
                continue  # null counts as absent
            if type(member.value) is not kind:
                raise _Fault(member.line, f"{self.of(proper)} is {_shown(member)}; expected {_EXPECTED[kind]}")
            self._members[proper] = member

    def of(self, key: str) -> str:
        """Return what errors call a member."""
        return f"{self.at}.{key}" if self.at else key

    def get(self, key: str, default: T) -> T:
        """Return a member's value; its type has been checked."""
        member = self._members.get(key)
        return default if member is None else member.value

    def has(self, key: str) -> bool:
        """Tell whether there is such a member."""
        return key in self._members

    def members(self, known: Mapping[str, type]) -> dict[str, _Object]:
        """Return all members, which have to be objects with these keys."""
        return {key: _Object(self.of(key), member, known) for key, member in self._members.items()}

    def object(self, key: str, known: Mapping[str, type] | None) -> _Object:
        """Return a member that is an object; an empty one if it is missing."""
        return _Object(self.of(key), self._members.get(key, Node({}, self.line)), known)

    def texts(self, key: str) -> list[str]:
        """Return a member that is a list of texts."""
        items: list[Node] = self.get(key, [])
        for item in items:
            if type(item.value) is not str:
                raise _Fault(item.line, f"{self.of(key)} has {_shown(item)} in it; expected texts")
        return [item.value for item in items]

    def name_of(self, key: str, known: Iterable[str], what: str) -> str:
        """Return a member that has to be one of the names *known*, and must not be missing."""
        found = self.get(key, "")
        if found not in known:
            hint = _instead(found, known)
            if not self.has(key):
                raise _Fault(self.line, f"{self.at} has no {key}; expected {what}: {hint}")
            raise self.fault(key, f"is {found!r}; expected {what}: {hint}")
        return found

    def fault(self, key: str, text: str) -> _Fault:
        """Return the error for a member that is not valid."""
        return _Fault(self._members[key].line, f"{self.of(key)} {text}")


def _shown(node: Node) -> str:
    if isinstance(node.value, (dict, list)):
        return "an object" if isinstance(node.value, dict) else "a list"
    shown = {True: "true", False: "false"}.get(node.value) if isinstance(node.value, bool) else repr(node.value)
    return "null" if node.value is None else str(shown)[:60]


def _instead(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


# --- the file ---------------------------------------------------------------------------------------------------------


def _permissions(file: _Object) -> Permissions:
    version = file.get("version", None)
    if version != VERSION:
        found = "there is none" if version is None else f"it is {version!r}"
        raise _Fault(file.line, f"the version must be {VERSION}; {found}")
    for section, name in (("user_roles", "nobody"), ("device_roles", "none"), ("device_roles", "user")):
        roles = file.object(section, None)
        if not roles.has(name):
            raise _Fault(roles.line, f"{section} has no {name!r}, which there must be")
    sets = {**{name: FIELD_SETS[name] for name in BUILT_IN}, **_named(file, "rw_access", _FIELD_SET, _field_set)}
    full = Level(frozenset(get_args(Action)), sets["full"], sets["full"])
    levels = {"none": Level(), "full": full}
    levels.update(_named(file, "access_levels", _LEVEL, lambda level: _level(level, sets)))
    device_roles = _named(file, "device_roles", _ROLE, lambda role: _role(role, levels))
    user_names = file.object("user_roles", None).members(_USER_ROLE)
    user_roles = {key: _user_role(role, levels, user_names, device_roles) for key, role in user_names.items()}
    return Permissions(
        user_roles,
        device_roles,
        levels,
        reserved_names=frozenset(file.texts("disallow_names")),
        email_suffixes=tuple(file.texts("allowed_email_suffixes")) or None,
        most_users=max(file.get("max_users", 0), 0),
        watch=file.get("watch", False),
    )


def _named(file: _Object, section: str, known: Mapping[str, type], read: Any) -> dict[str, Any]:
    found = file.object(section, None).members(known)
    for name in BUILT_IN:
        if name in found and known is not _ROLE:
            raise _Fault(found[name].line, f"{section}.{name} is built in; give another name to what differs from it")
    return {name: read(member) for name, member in found.items()}


def _field_set(entry: _Object) -> FieldSet:
    kinds = [kind for key, kind in KIND_KEYS.items() if entry.get(key, False)]
    granted = [FIELD_KEYS[key] for key in FIELD_KEYS if entry.get(key, False)]
    return FieldSet(
        {kind: frozenset(name for of, name in granted if of == kind) for kind in kinds},
        entry.get("can_access_stream_data", False),
        entry.get("can_access_stream_downlink", False),
    )


def _level(entry: _Object, sets: Mapping[str, FieldSet]) -> Level:
    actions = frozenset(action for key, action in ACTION_KEYS.items() if entry.get(key, False))
    read, write = (sets[entry.name_of(key, sets, "one of rw_access")] for key in ("read_access", "write_access"))
    return Level(actions, read, write)


def _role(entry: _Object, levels: Mapping[str, Level]) -> Role:
    named = {of: entry.name_of(key, levels, "one of access_levels") for key, of in LEVEL_KEYS.items()}
    return Role(named, frozenset(what for key, what in COUNT_KEYS.items() if entry.get(key, False)))


def _user_role(
    entry: _Object, levels: Mapping[str, Level], user_roles: Iterable[str], device_roles: Iterable[str]
) -> UserRole:
    role = _role(entry, levels)
    may_join = entry.get("join", False)
    join_role = entry.get("join_role", "")
    if may_join or join_role:
        join_role = entry.name_of("join_role", user_roles, "one of user_roles")
    return UserRole(
        role.levels,
        role.counts,
        may_be_private=entry.get("user_can_be_private", False),
        limits=Limits(**{name: max(entry.get(key, 0), 0) for key, name in LIMIT_KEYS.items()}),
        may_join=may_join,
        join_role=join_role,
        join_refusal=entry.get("join_disabled_message", ""),
        defaults=_defaults(entry, {"user": user_roles, "device": device_roles}),
    )


def _defaults(entry: _Object, roles: Mapping[str, Iterable[str]]) -> dict[Kind, dict[str, Any]]:
    """Return all defaults that are not empty or false, as fields without a default are."""
    found: dict[Kind, dict[str, Any]] = {}
    for kind, known in DEFAULT_KEYS.items():
        given = entry.object(f"create_{kind}_defaults", known)
        values: dict[str, Any] = {key: given.get(key, None) for key in known if given.get(key, None)}
        if "role" in values:
            given.name_of("role", roles[kind], f"one of {kind}_roles")
        for key, value in values.items():
            try:
                if key == "schema":
                    compact_schema(value)
                elif isinstance(value, str):
                    check_texts({key: value})
            except Refusal as refusal:
                raise given.fault(key, f"will not do: {refusal.message}") from refusal
        if values:
            found[kind] = values
    return found
