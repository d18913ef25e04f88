"""Creating users, devices and streams, one or a whole tree in a request: all of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..accounts import USER_DEVICE
from ..permissions import Kind
from ..storage import Device, Stream, Taken, User, Writer
from ..tree import BORN_DEVICES, create_user
from .changes import command, ensure_log, log_change
from .fields import check_device, check_name, check_texts, check_user, compact_schema, read_fields, shown, with_defaults
from .request import NO_ACCESS, Refusal, Reply, Request, find

_BAD_SCHEMA = "The provided schema is not a valid JSONSchema"

#: Refused before anything is looked at.
_UNSANITARY = re.compile(r"[/\\ ?]")

_BORN = {
    "user": 'user device is created by default. Set its streams in "streams" property',
    "meta": "meta device is created by default",
}

#: A nested object that has been checked: its columns, and what is to be made below it.
Tree = tuple[dict[str, Any], list["Tree"]]


def create(writer: Writer, request: Request) -> Reply:
    """``POST crud/<path>``: make a user, a device or a stream, with what its body says is below it."""
    name = request.names[-1]
    if not name or _UNSANITARY.search(name):
        raise Refusal(400, "The given name did not pass sanitation.")
    body = request.json()
    try:
        return _MAKERS[len(request.names) - 1](writer, request, name, body)
    except Taken as taken:
        raise taken_refusal(len(request.names), taken) from taken


def taken_refusal(depth: int, taken: Taken) -> Refusal:
    """Return what is said of a name, address or key that somebody has; of a key the same as of a device's name."""
    kind = 2 if taken.field == "apikey" else depth
    texts = ("User with this email or username already exists", "Device with this name already exists")
    return Refusal(403, (*texts, "Stream with this name already exists")[kind - 1])


def _create_user(writer: Writer, request: Request, name: str, body: Any) -> Reply:
    fields = read_fields("user", body)
    streams = _read_all("stream", fields.get("streams"))
    devices = _read_all("device", fields.get("devices"))
    permissions, caller = request.permissions, request.caller
    rights = permissions.rights(caller, "private")
    if "create user" not in rights.actions:
        raise Refusal(403, "You do not have permissions necessary to create a user.")
    columns = with_defaults("user", {"role": permissions.user_role, **fields})
    own_role = caller.user.role if caller.user else "nobody"
    if columns["role"] != own_role and "role" not in (rights.write.of("user") or ()):
        raise Refusal(403, "Don't have permission to create user with different role than creator")
    check_name("user", name)
    check_user(columns, columns, permissions)
    password = columns.pop("password", "")
    if not password:
        raise Refusal(403, "Incorrect Password")
    made_devices = [_checked_device(key, value, columns["public"], request) for key, value in devices.items()]
    made_streams = [_checked_stream(key, value) for key, value in streams.items()]
    taken = writer.find((name,)).user  # before the hash, which costs
    if taken is not None:
        raise Taken("name")
    user = create_user(writer, {"name": name, **columns}, request.hashed(password))
    own = writer.find((name, USER_DEVICE)).device
    assert own is not None  # it was made with the user
    _make_streams(writer, own, made_streams)
    for device_columns, below in made_devices:
        _make_streams(writer, writer.create_device(user.id, device_columns), below)
    ensure_log(writer, user)
    return _made(writer, request, user, user)


def _create_device(writer: Writer, request: Request, name: str, body: Any) -> Reply:
    fields = read_fields("device", body)
    streams = _read_all("stream", fields.get("streams"))
    user = find(writer, request.names[:1]).user
    assert user is not None
    if "create device" not in request.permissions.access(request.caller, user).actions:
        raise Refusal(403, NO_ACCESS)
    user_role, _ = request.permissions.roles(request.caller)
    columns = with_defaults("device", {"role": user_role.device_role, **fields})
    _check_privacy(columns, user.public)
    check_name("device", name)
    check_device(columns, request.permissions)
    below = [_checked_stream(key, value) for key, value in streams.items()]
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
    columns, _ = _checked_stream(name, fields)
    return _made(writer, request, writer.create_stream(device.id, columns), user, device)


_MAKERS: tuple[Callable[[Writer, Request, str, Any], Reply], ...] = (_create_user, _create_device, _create_stream)


def _read_all(kind: Kind, bodies: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return what the nested bodies say; a null among them, which stops the original in its tracks, is refused."""
    read = {}
    for name, body in (bodies or {}).items():
        if body is None:
            raise Refusal(400, f"the {kind} '{name}' is null; an object was expected")
        read[name] = read_fields(kind, body)
        if kind == "device":
            read[name]["streams"] = _read_all("stream", read[name].get("streams"))
    return read


def _checked_device(name: str, fields: dict[str, Any], user_is_public: bool, request: Request) -> Tree:
    if name in BORN_DEVICES:
        raise Refusal(403, _BORN[name])
    columns = with_defaults("device", {"name": check_name("device", name), **fields}, nested=True)
    _check_privacy(columns, user_is_public)
    check_device(columns, request.permissions)
    return columns, [_checked_stream(key, value) for key, value in fields["streams"].items()]


def _check_privacy(device: Mapping[str, Any], user_is_public: bool) -> None:
    if device["public"] and not user_is_public:
        raise Refusal(403, "Can't make private user have public device")


def _checked_stream(name: str, fields: Mapping[str, Any]) -> Tree:
    columns = with_defaults("stream", {**fields, "name": name})
    columns["schema"] = compact_schema(columns["schema"], _BAD_SCHEMA)
    check_name("stream", name)
    check_texts(columns)
    return columns, []


def _make_streams(writer: Writer, device: Device, streams: list[Tree]) -> None:
    for columns, _ in streams:
        writer.create_stream(device.id, columns)


def _made(
    writer: Writer, request: Request, row: User | Device | Stream, user: User, device: Device | None = None
) -> Reply:
    """Note a creation and show what was made, as reading it would."""
    told = log_change(writer, request, command("Create", row), user)
    owner = row if isinstance(row, Device) else device
    kind: Kind = "user" if isinstance(row, User) else "device" if isinstance(row, Device) else "stream"
    read = request.permissions.access(request.caller, user, owner).read
    return Reply.of(shown(kind, row, read, blank=kind == "stream") or {"name": row.name}, told)
