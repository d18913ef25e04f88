"""Reading, listing, changing and deleting users, devices and streams. Creating them is in ``create.py``."""

from __future__ import annotations

from typing import Any

from ...protocol.constants import DOWNLINK
from ..rights.accounts import new_apikey
from ..rights.permissions import Kind, Level
from ..storage import Device, Found, Reader, Series, Stream, Taken, User, Writer
from ..tree import BORN_DEVICES
from ..values import check_lengths, compact_schema
from .changes import command, log_change
from .create import taken_refusal
from .fields import check_changed_user, check_changes, check_device, shown
from .limits import check_private_device
from .request import NO_ACCESS, Refusal, Removed, Reply, Request, find, missing, not_found

_KINDS: tuple[Kind, ...] = ("user", "device", "stream")


def read(reader: Reader, request: Request) -> Reply:
    """``GET crud/<path>``: the object; or with ``q`` a list of what is below it."""
    if request.q and any(request.q):
        return _list(reader, request)
    found = reader.find(request.names)
    depth = len(request.names)
    gone = missing(found, depth)
    if gone is not None:
        # as in 0.3: only for a stream is it said that its user or device is missing; else it looks the same as what is hidden
        raise Refusal(404, not_found(gone) if depth == 3 and gone != "stream" else NO_ACCESS)
    row, access = _target(request, found)
    told = shown(_KINDS[depth - 1], row, access.read, blank=depth == 3)
    if told is None:
        raise Refusal(404, NO_ACCESS)
    return Reply.of(told)


def _target(request: Request, found: Found) -> tuple[User | Device | Stream, Level]:
    """Return the object at a path, which exists, and what the caller may do with it."""
    assert found.user is not None
    row = found.stream or found.device or found.user
    return row, request.permissions.access(request.caller, found.user, found.device)


# --- lists ------------------------------------------------------------------------------------------------------------


def list_users(reader: Reader, request: Request) -> Reply:
    """``GET crud/?q=ls``: the users that the caller may see."""
    permissions, caller = request.permissions, request.caller
    if "list users" not in permissions.rights(caller, "private").actions:
        raise Refusal(404, "You do not have permissions necessary to list users.")
    rows = (shown("user", user, permissions.access(caller, user).read) for user in reader.users())
    return Reply.of([row for row in rows if row is not None])


def _list(reader: Reader, request: Request) -> Reply:
    depth = len(request.names)
    queries = {1: ("ls", "devices", "streams"), 2: ("ls", "streams"), 3: ()}[depth]
    query = next((query for query in queries if query in request.q), None)
    if query is None:
        raise Refusal(400, "Unrecognized query command.")
    found = reader.find(request.names)
    if missing(found, depth) is not None:
        raise Refusal(404, NO_ACCESS)
    _, access = _target(request, found)
    below = "list devices" if depth == 1 and query != "streams" else "list streams"
    if below not in access.actions:
        raise Refusal(404, NO_ACCESS)
    if found.device is not None:
        rows = [shown("stream", stream, access.read) for stream in reader.streams(found.device.id)]
    else:
        assert found.user is not None
        rows = (_user_streams if query == "streams" else _devices)(reader, request, found.user)
    return Reply.of([row for row in rows if row is not None])


def _devices(reader: Reader, request: Request, user: User) -> list[dict[str, Any] | None]:
    def access(device: Device) -> Level:
        return request.permissions.access(request.caller, user, device)

    return [shown("device", device, access(device).read) for device in reader.devices(user.id)]


def _user_streams(reader: Reader, request: Request, user: User) -> list[dict[str, Any] | None]:
    # only this exact text switches a filter on
    public, downlink, visible = (request.query.get(name) == "true" for name in ("public", "downlink", "visible"))
    rows: list[dict[str, Any] | None] = []
    for device, stream in reader.user_streams(user.id):
        if (public and not device.public) or (downlink and not stream.downlink) or (visible and not device.visible):
            continue
        row = shown("stream", stream, request.permissions.access(request.caller, user, device).read)
        rows.append(row and {**row, "device": device.name})
    return rows


# --- changes ----------------------------------------------------------------------------------------------------------


def update(writer: Writer, request: Request) -> Reply:
    """``PUT crud/<path>``: change some fields; all those in the body, or none."""
    depth = len(request.names)
    kind = _KINDS[depth - 1]
    found = find(writer, request.names)
    row, access = _target(request, found)
    writable = access.write.of(kind)
    if writable is None:
        raise Refusal(403, NO_ACCESS)
    body = request.json()
    if not isinstance(body, dict):
        # the original server would change nothing, and answer as if it had
        raise Refusal(400, "a JSON object with the fields to change was expected")
    changes = check_changes(kind, body, writable, row.name)
    assert found.user is not None
    if isinstance(row, Device) and row.public and changes.get("public") is False:
        check_private_device(writer, request.permissions, found.user)
    try:
        changed = _changed(writer, request, row, changes)
    except Taken as taken:
        raise taken_refusal(depth, taken) from taken
    told = log_change(writer, request, command("Update", row), found.user)
    # by the rights after the change, which may have made it public or private
    user = changed if isinstance(changed, User) else found.user
    device = changed if isinstance(changed, Device) else found.device
    read = request.permissions.access(request.caller, user, device).read
    reply = Reply.of(shown(kind, changed, read, blank=kind != "user") or {"name": row.name}, told)
    removed: tuple[Removed, ...] = ()
    if isinstance(row, Stream) and row.downlink and not changed.downlink:
        removed = (Removed(f"{request.path}/{DOWNLINK}", "cleared"),)
    return reply._replace(removed=removed, changed=request.path)


def _changed(writer: Writer, request: Request, row: User | Device | Stream, changes: dict[str, Any]) -> Any:
    if not changes:
        return row
    if isinstance(row, User):
        check_changed_user(row, changes, request.permissions, request.limits)
        if "password" in changes:
            if not changes["password"]:
                raise Refusal(403, "Incorrect Password")
            changes["password"] = request.hashed(changes["password"])
        return writer.update_user(row.id, changes)
    if isinstance(row, Device):
        check_device(changes, request.permissions, request.limits)
        if changes.get("apikey") == "":
            changes["apikey"] = new_apikey()
        return writer.update_device(row.id, changes)
    if "schema" in changes:
        changes["schema"] = compact_schema(changes["schema"], limits=request.limits)
    # the icon is not checked: a 0.3 server does not look at it here
    check_lengths(changes, request.limits)
    return writer.update_stream(row.id, changes)


def delete(writer: Writer, request: Request) -> Reply:
    """``DELETE crud/<path>``: delete an object with all below it; with ``downlink=true`` only the points of the downlink."""
    found = find(writer, request.names)
    row, access = _target(request, found)
    assert found.user is not None
    removed = Removed(request.path, "deleted")
    if isinstance(row, User):
        if "delete user" not in access.actions:
            raise Refusal(403, "You do not have permissions necessary to delete this user.")
        writer.delete_user(row.id)
    elif isinstance(row, Device):
        if "delete device" not in access.actions:
            raise Refusal(403, NO_ACCESS)
        if row.name in BORN_DEVICES:
            raise Refusal(403, f"{row.name} device cannot be deleted")
        writer.delete_device(row.id)
    else:
        if "delete stream" not in access.actions:
            raise Refusal(403, NO_ACCESS)
        if request.downlink:
            writer.clear(Series(row.id, downlink=True))
            removed = Removed(f"{request.path}/{DOWNLINK}", "cleared")
        else:
            writer.delete_stream(row.id)
    told = log_change(writer, request, command("Delete", row), found.user)
    return Reply.text("ok", told)._replace(removed=(removed,), changed=request.path)
