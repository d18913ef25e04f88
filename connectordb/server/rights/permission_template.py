"""The default permissions as a permission file with comments, to start your own from. A 0.3 server can read it too."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from .permission_files import (
    ACTION_KEYS,
    BUILT_IN,
    COUNT_KEYS,
    DEFAULT_KEYS,
    FIELD_KEYS,
    KIND_KEYS,
    LEVEL_KEYS,
    LIMIT_KEYS,
    VERSION,
)
from .permissions import DEFAULT, FIELD_SETS, FieldSet, Level, Role, UserRole

_HEAD = """\
Who may do what, and how much of it: the permissions of a ConnectorDB server.

Save this as a file, change it, and name it in the server's configuration (connectordb.toml):

    [permissions]
    file = "permissions.json"

A device may do what both its own role and the role of its user grant. A role names an access level for each relation in \
which an object can stand to the device; a level says what may be done, and names what may be read and written. The levels \
and the sets "none" (nothing) and "full" (everything) are built in.\
"""

#: What the keys mean; each is explained where it first occurs.
_MEANINGS = {
    "version": "The version of the format.",
    "watch": "Read the file again whenever it is saved. If something in it is wrong, the permissions stay as they were.",
    "disallow_names": "Names that no user may have.",
    "allowed_email_suffixes": 'How the email addresses of users must end, such as ["@example.org"]. null: in any way.',
    "max_users": "How many users there may be. 0 or less: no limit.",
    "user_roles": (
        'The roles of users. "nobody" is required: it is the role of clients that are not logged in, and of users whose role '
        "is not in this file."
    ),
    "join": "Whether users with this role (nobody: anybody) may create users with POST /join.",
    "join_role": "The role of users who are created in this way.",
    "join_disabled_message": "What those who may not do this are told.",
    "max_devices": "How many devices such a user may have, including the two that every user has. 0: no limit.",
    "max_streams": "How many streams each of its devices may have.",
    "max_device_size": "Bytes of all points of one device, as JSON text.",
    "max_stream_size": "Bytes of the points of one stream, or of its downlink, as JSON text.",
    "max_private_devices": "How many devices may be private, including the two that every user has.",
    "user_can_be_private": "Whether such a user may be private, and so hidden from others.",
    "create_user_defaults": "Default values for users that such a user creates.",
    "create_device_defaults": "The same for devices, except for those that are created together with a user.",
    "create_stream_defaults": "The same for streams, except for those that are created together with a user or a device.",
    "CanCountUsers": "Whether the number of users on the server may be asked for.",
    "private_access_level": "The access level for users and devices of others that are not public.",
    "public_access_level": "The same for those that are public.",
    "user_access_level": "The same for the device's own user, and that user's other devices.",
    "self_access_level": "The same for the device itself, with its streams and their points.",
    "device_roles": (
        'The roles of devices. Required are "none", for devices without a role, and "user", for those that people log in as.'
    ),
    "access_levels": "What roles grant.",
    "read_access": "What may be read, from rw_access.",
    "write_access": "What may be written.",
    "rw_access": "What may be read or written of users, devices and streams.",
    "can_access_user": "Whether users can be reached at all.",
    "can_access_stream_data": "The points of streams.",
    "can_access_stream_downlink": "The points of downlinks.",
    "user_name": "From here on, each single field.",
}

_WIDTH = 100


def render() -> str:
    """Return the file."""
    head = "\n".join(_wrapped(paragraph) for paragraph in _HEAD.split("\n"))
    return f"/*\n{head}\n*/\n{''.join(_lines(_default(), 0, dict(_MEANINGS)))}\n"


def _wrapped(paragraph: str) -> str:
    return paragraph if paragraph.startswith(" ") else textwrap.fill(paragraph, _WIDTH)


def _lines(value: Any, depth: int, untold: dict[str, str]) -> Iterator[str]:
    """Yield the pieces of a value's text; meanings that have been explained are removed from *untold*."""
    if not isinstance(value, dict) or not value:
        yield json.dumps(value)
        return
    inner = "\t" * (depth + 1)
    separator = "{\n"
    for key, item in value.items():
        yield separator
        if meaning := untold.pop(key, None):
            before = f"{inner}// "
            yield textwrap.fill(meaning, _WIDTH, initial_indent=before, subsequent_indent=before) + "\n"
        yield f"{inner}{json.dumps(key)}: "
        yield from _lines(item, depth + 1, untold)
        separator = ",\n"
    yield "\n" + "\t" * depth + "}"


def _default() -> dict[str, Any]:
    return {
        "version": VERSION,
        "watch": DEFAULT.watch,
        "disallow_names": sorted(DEFAULT.reserved_names),
        "allowed_email_suffixes": DEFAULT.email_suffixes,
        "max_users": DEFAULT.most_users,
        "user_roles": {name: _user_role(role) for name, role in DEFAULT.user_roles.items()},
        "device_roles": {name: _role(role) for name, role in DEFAULT.device_roles.items()},
        "access_levels": {name: _level(level) for name, level in DEFAULT.levels.items() if name not in BUILT_IN},
        "rw_access": {name: _field_set(entry) for name, entry in FIELD_SETS.items() if name not in BUILT_IN},
    }


def _role(role: Role) -> dict[str, Any]:
    return {
        **{key: role.levels[relation] for key, relation in LEVEL_KEYS.items()},
        **{key: what in role.counts for key, what in COUNT_KEYS.items()},
    }


def _user_role(role: UserRole) -> dict[str, Any]:
    return {
        **_role(role),
        "join": role.may_join,
        "join_role": role.join_role,
        "join_disabled_message": role.join_refusal,
        **{key: getattr(role.limits, name) for key, name in LIMIT_KEYS.items()},
        "user_can_be_private": role.may_be_private,
        **{
            f"create_{kind}_defaults": _defaults(role.defaults.get(kind, {}), types)
            for kind, types in DEFAULT_KEYS.items()
        },
    }


def _defaults(values: Mapping[str, Any], types: Mapping[str, type]) -> dict[str, Any]:
    return {key: values.get(key, kind()) for key, kind in types.items()}


def _level(level: Level) -> dict[str, Any]:
    return {
        **{key: action in level.actions for key, action in ACTION_KEYS.items()},
        "read_access": _name(level.read),
        "write_access": _name(level.write),
    }


def _name(entry: FieldSet) -> str:
    return next(name for name, known in FIELD_SETS.items() if known == entry)


def _field_set(entry: FieldSet) -> dict[str, bool]:
    return {
        **{key: entry.of(kind) is not None for key, kind in KIND_KEYS.items()},
        "can_access_stream_data": entry.data,
        "can_access_stream_downlink": entry.downlink,
        **{key: name in (entry.of(kind) or ()) for key, (kind, name) in FIELD_KEYS.items()},
    }
