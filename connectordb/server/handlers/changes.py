"""The log of changes, ``USER/meta/log``: created with the user, or when it is first needed. Every change is appended to it."""

from __future__ import annotations

from ..storage import Device, Series, Stream, User, Writer
from ..tree import META_DEVICE
from .fields import with_defaults
from .limits import has_room
from .request import Published, Request

_NAME = "log"

#: The sender of the points in the log.
_SENDER = "ConnectorDB"

_FIELDS = {
    "name": _NAME,
    "description": "A log of all create update and delete operations done on this user",
    "icon": "material:assignment",
    "schema": '{"type":"object","properties":{"cmd":{"type":"string"},"arg":{"type":"string"}},"required":["cmd","arg"]}',
}


def ensure_log(writer: Writer, user: User) -> Stream | None:
    """Return the user's log, creating it if necessary; `None` if the user does not exist any more."""
    found = writer.find((user.name, META_DEVICE, _NAME))
    if found.user is None or found.user.id != user.id or found.device is None:
        return None
    return found.stream or writer.create_stream(found.device.id, with_defaults("stream", _FIELDS))


def log_change(writer: Writer, request: Request, command: str, owner: User) -> tuple[Published, ...]:
    """
    Note a change of something that belongs to *owner* in its log, and in the log of the caller's user.

    Returns:
        What subscribers of the logs are to be told.
    """
    caller = request.caller.user
    users = {user.id: user for user in (caller, owner) if user is not None}
    if command == "DeleteUser":
        del users[owner.id]
    point = {"t": request.now, "d": {"cmd": command, "arg": request.path}, "o": _SENDER}
    told = []
    for user in users.values():
        log = ensure_log(writer, user)
        if log is not None:
            series = Series(log.id)
            # a change is not refused just because there is no room to log it
            room = has_room(writer, request.permissions, user, log.device_id, series, point)
            stored = writer.insert(series, [point], restamp=True) if room and not log.ephemeral else None
            told.append(Published(f"{user.name}/{META_DEVICE}/{_NAME}", (point,), stored))
    return tuple(told)


def command(verb: str, changed: User | Device | Stream) -> str:
    """Return the name of a change, such as ``"CreateUser"``."""
    return f"{verb}{type(changed).__name__}"
