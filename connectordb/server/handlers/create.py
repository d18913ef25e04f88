"""Creating users, devices and streams: one object or a whole tree with a request, all of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..rights.accounts import USER_DEVICE
from ..rights.permissions import Kind, UserRole
from ..storage import Device, Stream, Taken, User, Writer
from ..tree import BORN_DEVICES, create_user
from ..values import check_texts, compact_schema
from . import limits
from .changes import command, ensure_log, log_change
from .fields import (
    check_device,
    check_name,
    check_new_user,
    read_fields,
    shown,
    with_defaults,
)
from .request import NO_ACCESS, Refusal, Reply, Request, find

_BAD_SCHEMA = "The provided schema is not a valid JSONSchema"

#: Characters in a name that are refused before anything else is looked at.
_UNSANITARY = re.compile(r"[/\\ ?]")

_BORN = {
    "user": 'user device is created by default. Set its streams in "streams" property',
    "meta": "meta device is created by default",
}

#: The columns of an object that is to be created, checked.
Columns = dict[str, Any]


def create(writer: Writer, request: Request) -> Reply:
    """``POST crud/<path>``: create a user, a device or a stream, with all that its body has below it."""
    name = request.names[-1]
    if not name or _UNSANITARY.search(name):
        raise Refusal(400, "The given name did not pass sanitation.")
    body = request.json()
    try:
        return _MAKERS[len(request.names) - 1](writer, request, name, body)
    except Taken as taken:
        raise taken_refusal(len(request.names), taken) from taken


def taken_refusal(depth: int, taken: Taken) -> Refusal:
    """Return the refusal for a name, address or key that is in use; for a key it is the same as for a device's name."""
    kind = 2 if taken.field == "apikey" else depth
    texts = ("User with this email or username already exists", "Device with this name already exists")
    return Refusal(403, (*texts, "Stream with this name already exists")[kind - 1])


def _create_user(writer: Writer, request: Request, name: str, body: Any) -> Reply:
    fields = read_user(body, request.limits.tree_objects)
    permissions, caller = request.permissions, request.caller
    rights = permissions.rights(caller, "private")
    if "create user" not in rights.actions:
        raise Refusal(403, "You do not have permissions necessary to create a user.")
    columns = with_defaults("user", fields, permissions.user_role(caller.user))
    own_role = caller.user.role if caller.user else "nobody"
    if columns["role"] != own_role and "role" not in (rights.write.of("user") or ()):
        raise Refusal(403, "Don't have permission to create user with different role than creator")
    user = new_user(writer, request, name, columns, fields)
    return _made(writer, request, user, user)


def read_user(body: Any, most: int) -> dict[str, Any]:
    """Return the fields in the body of a new user, and those of all that is below it."""
    fields = read_fields("user", body)
    for kind in ("stream", "device"):
        fields[f"{kind}s"] = _read_all(kind, fields.get(f"{kind}s"))
    check_tree(fields, most)
    return fields


def check_tree(fields: Mapping[str, Any], most: int) -> None:
    """Refuse to create more than *most* devices and streams at once, as nobody else can change anything meanwhile."""
    devices = fields.get("devices", {})
    if len(devices) + len(fields["streams"]) + sum(len(device["streams"]) for device in devices.values()) > most:
        raise Refusal(403, f"At most {most} devices and streams can be made at once; make the others by themselves.")


def new_user(
    writer: Writer, request: Request, name: str, columns: dict[str, Any], below: Mapping[str, Mapping[str, Any]]
) -> User:
    """
    Create a user with its tree and its log, and return it.

    Args:
        writer: Where to create it.
        request: Has the permissions, and the hash of the password once that is known.
        name: The user's name.
        columns: As returned by `with_defaults`.
        below: What to create below it, under ``devices`` and ``streams``, each as returned by `read_fields`.

    Raises:
        Refusal: Something in it is not valid, or not allowed.
        Taken: A name, email address or API key is in use.
        HashWanted: All is well, but the hash is needed.
    """
    permissions, role = request.permissions, columns["role"]
    check_new_user(name, columns, permissions, request.limits)
    password = columns.pop("password", "")
    if not password:
        raise Refusal(403, "Incorrect Password")
    devices = [_checked_device(key, value, role, request) for key, value in below["devices"].items()]
    streams = [_checked_stream(key, value, request) for key, value in below["streams"].items()]
    limits.check_new_devices(permissions, role, len(BORN_DEVICES), [device["public"] for device, _ in devices])
    limits.check_new_streams(permissions, role, len(streams), "user")
    limits.check_users(writer, permissions)
    if writer.find((name,)).user is not None:  # before the hash is asked for, which is expensive
        raise Taken("name")
    user = create_user(writer, {"name": name, **columns}, request.hashed(password))
    own = writer.find((name, USER_DEVICE)).device
    assert own is not None  # it was created with the user
    _make_streams(writer, own, streams)
    for device_columns, below_device in devices:
        _make_streams(writer, writer.create_device(user.id, device_columns), below_device)
    ensure_log(writer, user)
    return user


def _create_device(writer: Writer, request: Request, name: str, body: Any) -> Reply:
    fields = read_fields("device", body)
    streams = fields["streams"] = _read_all("stream", fields.get("streams"))
    check_tree(fields, request.limits.tree_objects)
    user = find(writer, request.names[:1]).user
    assert user is not None
    permissions = request.permissions
    if "create device" not in permissions.access(request.caller, user).actions:
        raise Refusal(403, NO_ACCESS)
    columns = with_defaults("device", fields, permissions.user_role(request.caller.user))
    if columns["public"] and not user.public:  # not checked for devices created with their user, as in 0.3
        raise Refusal(403, "Can't make private user have public device")
    check_name("device", name)
    check_device(columns, permissions, request.limits)
    limits.check_new_streams(permissions, user.role, len(streams), "device")
    below = [_checked_stream(key, value, request) for key, value in streams.items()]
    limits.check_device(writer, permissions, user, public=columns["public"])
    device = writer.create_device(user.id, {"name": name, **columns})
    _make_streams(writer, device, below)
    return _made(writer, request, device, user)


def _create_stream(writer: Writer, request: Request, name: str, body: Any) -> Reply:
    fields = read_fields("stream", body)
    found = find(writer, request.names[:2])
    user, device = found.user, found.device
    assert user is not None and device is not None
    if "create stream" not in request.permissions.access(request.caller, user, device).actions:
        raise Refusal(403, NO_ACCESS)
    columns = _checked_stream(name, fields, request, request.permissions.user_role(request.caller.user))
    limits.check_stream(writer, request.permissions, user, device.id)
    return _made(writer, request, writer.create_stream(device.id, columns), user, device)


_MAKERS: tuple[Callable[[Writer, Request, str, Any], Reply], ...] = (_create_user, _create_device, _create_stream)


def _read_all(kind: Kind, bodies: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the fields in nested bodies. A null among them, which the original server cannot cope with, is refused."""
    read = {}
    for name, body in (bodies or {}).items():
        if body is None:
            raise Refusal(400, f"the {kind} '{name}' is null; an object was expected")
        read[name] = read_fields(kind, body)
        if kind == "device":
            read[name]["streams"] = _read_all("stream", read[name].get("streams"))
    return read


def _checked_device(name: str, fields: Mapping[str, Any], role: str, request: Request) -> tuple[Columns, list[Columns]]:
    """Return the columns of a device that is created with its user, and of the streams below it."""
    if name in BORN_DEVICES:
        raise Refusal(403, _BORN[name])
    columns = with_defaults("device", {"name": check_name("device", name), **fields})
    check_device(columns, request.permissions, request.limits)
    limits.check_new_streams(request.permissions, role, len(fields["streams"]), "device")
    return columns, [_checked_stream(key, value, request) for key, value in fields["streams"].items()]


def _checked_stream(name: str, fields: Mapping[str, Any], request: Request, maker: UserRole | None = None) -> Columns:
    columns = with_defaults("stream", {**fields, "name": name}, maker)
    columns["schema"] = compact_schema(columns["schema"], _BAD_SCHEMA, request.limits)
    check_name("stream", name)
    check_texts(columns, request.limits)
    return columns


def _make_streams(writer: Writer, device: Device, streams: list[Columns]) -> None:
    for columns in streams:
        writer.create_stream(device.id, columns)


def _made(
    writer: Writer, request: Request, row: User | Device | Stream, user: User, device: Device | None = None
) -> Reply:
    """Log a creation, and answer with the new object as reading it would."""
    told = log_change(writer, request, command("Create", row), user)
    owner = row if isinstance(row, Device) else device
    kind: Kind = "user" if isinstance(row, User) else "device" if isinstance(row, Device) else "stream"
    read = request.permissions.access(request.caller, user, owner).read
    return Reply.of(shown(kind, row, read, blank=kind == "stream") or {"name": row.name}, told)
