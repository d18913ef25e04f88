"""
The fields of users, devices and streams: their types, their defaults, which values are allowed, and who sees them.

The messages are those of the wire (``docs/topics/wire.rst``, "Errors"), as clients have nothing else to tell causes apart by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...protocol.paths import is_name
from ...protocol.schemas import Schema
from ..config import Limits
from ..patterns import server_schema
from ..rights.accounts import new_apikey
from ..rights.permissions import FIELDS, FieldSet, Kind, Permissions, UserRole
from ..storage import Device, Stream, User
from ..values import DEFAULT_LIMITS, check_texts
from .request import Refusal

_FLAGS = frozenset("public enabled visible user_editable ephemeral downlink".split())
_TREES = frozenset(("devices", "streams"))

#: The fields of a new object by default: empty, or false.
_BLANK: Mapping[Kind, Mapping[str, Any]] = {
    kind: {name: False if name in _FLAGS else "" for name in names if name not in ("name", "password")}
    for kind, names in FIELDS.items()
}

_BAD_NAMES: Mapping[Kind, str] = {
    "user": "Invalid Username, usernames may not contain / \\ ? or spaces",
    "device": "The provided name is not valid, it may not contain /, \\, space, ? or be blank",
    "stream": "Invalid Username, usernames may not contain / \\ ? or spaces",
}

# addr-spec of RFC 5322, without comments, folding and literal domains; alone or after a display name
_WORDS = r"[^\s<>@,;:\"\\()\[\].]+(?:\.[^\s<>@,;:\"\\()\[\].]+)*"
_ADDRESS = rf"(?:{_WORDS}|\"[^\"\\\r\n]+\")@{_WORDS}"
_EMAIL = re.compile(rf"[ \t]*(?:{_ADDRESS}|[^<>@]*<[ \t]*{_ADDRESS}[ \t]*>)[ \t]*")


# --- reading bodies ---------------------------------------------------------------------------------------------------


def read_fields(kind: Kind, body: Any) -> dict[str, Any]:
    """
    Return the fields in the body of a create, checked for type. Keys may be in any case; unknown keys and nulls are left out.

    A user's ``devices``, and a user's or device's ``streams``, are returned as they are.
    """
    body = {} if body is None else body
    if not isinstance(body, dict):
        raise Refusal(400, f"a JSON object with the fields of the {kind} was expected")
    known = {*FIELDS[kind], *(_TREES if kind == "user" else _TREES - {"devices"} if kind == "device" else ())}
    fields: dict[str, Any] = {}
    for key, value in body.items():
        name = key if key in known else key.lower()
        if name not in known or name == "name" or value is None:
            continue
        if not isinstance(value, dict if name in _TREES else bool if name in _FLAGS else str):
            wanted = "an object" if name in _TREES else _type_of(name)
            raise Refusal(400, f"Value of field '{name}' must be {wanted}")
        fields[name] = value
    return fields


def check_changes(kind: Kind, changes: Mapping[str, Any], writable: frozenset[str], name: str) -> dict[str, Any]:
    """Return the fields that an update changes, checked for type and permission. Any wrong key in the body is refused."""
    for key, value in changes.items():
        if key not in FIELDS[kind]:
            raise Refusal(403, f"Unrecognized field '{key}'")
        if key not in writable:
            raise Refusal(403, f"This device does not have permissions to write {key}")
        if not isinstance(value, bool if key in _FLAGS else str):
            raise Refusal(403, f"Value of field '{key}' must be {_type_of(key)}")
    if changes.get("name", name) != name:
        raise Refusal(403, f"ConnectorDB does not support modification of {kind} names")
    return {key: value for key, value in changes.items() if key != "name"}


def _type_of(name: str) -> str:
    return "a boolean" if name in _FLAGS else "a string"


def with_defaults(kind: Kind, fields: Mapping[str, Any], maker: UserRole | None = None) -> dict[str, Any]:
    """
    Return the columns of a new object, with defaults for what was left out.

    Args:
        kind: The kind of object.
        fields: The fields that were given.
        maker: The role of the user who creates it, which may have defaults of its own; none for an object inside of a tree.
    """
    columns = {**_BLANK[kind], **(maker.defaults.get(kind, {}) if maker else {}), **fields}
    if kind == "device" and not columns["apikey"]:
        columns["apikey"] = new_apikey()
    return {key: value for key, value in columns.items() if key not in _TREES}


# --- checking values --------------------------------------------------------------------------------------------------


def check_name(kind: Kind, name: str) -> str:
    """Return the name of a new object; refuse a bad one."""
    if not is_name(name):
        raise Refusal(403, _BAD_NAMES[kind])
    return name


def check_new_user(
    name: str, columns: Mapping[str, Any], permissions: Permissions, limits: Limits = DEFAULT_LIMITS
) -> None:
    """Refuse a new user with invalid fields. Its password is not checked here."""
    if name in permissions.reserved_names:
        raise Refusal(403, f"Username '{name}' not allowed")
    _check_suffix(columns["email"], permissions)
    role = columns["role"]
    if not _may_be_so(role, columns["public"], permissions):
        raise Refusal(403, f"Users with role '{role}' can't be private.")
    check_name("user", name)
    _check_address(columns, limits)


def check_changed_user(
    user: User, changed: Mapping[str, Any], permissions: Permissions, limits: Limits = DEFAULT_LIMITS
) -> None:
    """Refuse invalid changes of a user. Its password, and fields that do not change, are not checked here."""
    if "email" in changed:
        _check_suffix(changed["email"], permissions)
    if {"role", "public"} & changed.keys():
        role, public = changed.get("role", user.role), changed.get("public", user.public)
        if not _may_be_so(role, public, permissions):
            raise Refusal(403, "User can't be private.")
    _check_address(changed, limits)


def _may_be_so(role: str, public: bool, permissions: Permissions) -> bool:
    if role not in permissions.user_roles:
        raise Refusal(403, f"The given role '{role}' does not exist")
    return public or permissions.user_roles[role].may_be_private


def _check_suffix(email: str, permissions: Permissions) -> None:
    suffixes = permissions.email_suffixes
    if suffixes is not None and not email.endswith(suffixes):
        raise Refusal(403, f"Email '{email}' not allowed")


def _check_address(changed: Mapping[str, Any], limits: Limits) -> None:
    check_texts(changed, limits)  # first, as the expression takes quadratic time for a text that is almost an address
    if "email" in changed and not _EMAIL.fullmatch(changed["email"]):
        raise Refusal(403, "Invalid Email Address")


def check_device(changed: Mapping[str, Any], permissions: Permissions, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse invalid values for a device."""
    role = changed.get("role")
    if role and role not in permissions.device_roles:
        raise Refusal(403, f"Could not find device role '{role}'")
    check_texts(changed, limits)


def stored_schema(text: str) -> Schema:
    """Return the schema of a stream; refuse the request if it cannot be used here."""
    try:
        return server_schema(text)
    except ValueError as error:
        # it was accepted by another version, or where regular expressions can do more
        raise Refusal(403, "The stream's schema cannot be used by this server; give it another one") from error


# --- showing objects --------------------------------------------------------------------------------------------------


def shown(kind: Kind, row: User | Device | Stream, read: FieldSet, *, blank: bool = False) -> dict[str, Any] | None:
    """
    Return an object as the caller may see it; `None` if it may not be seen at all.

    Args:
        kind: The kind of object.
        row: The object.
        read: The fields that the caller may read.
        blank: Whether hidden fields are empty; else they are left out.
    """
    visible = read.of(kind)
    if visible is None:
        return None
    fields = {name: getattr(row, name) for name in FIELDS[kind] if name != "password"}
    if blank:
        return {name: value if name in visible else type(value)() for name, value in fields.items()}
    return {name: value for name, value in fields.items() if name in visible}
