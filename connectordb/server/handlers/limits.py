"""
Limits on how many users, devices, streams and points there may be. Those of a user are set by the user's role.

Everything is counted in the transaction that adds to it, so two requests cannot exceed a limit together. Where there is no
limit, nothing is counted.
"""

from __future__ import annotations

from ...protocol import json_text
from ...protocol.points import Datapoint
from ..rights.permissions import Permissions
from ..storage import Reader, Series, User
from .request import Refusal

_TOO_MANY_PRIVATE = "Exceeded maximum number of private devices for user"


def is_full(reader: Reader, permissions: Permissions) -> bool:
    """Tell whether there are as many users as there may be."""
    return permissions.most_users > 0 and reader.counts()["users"] >= permissions.most_users


def check_users(reader: Reader, permissions: Permissions) -> None:
    """Refuse another user."""
    if is_full(reader, permissions):
        raise Refusal(403, "Maximum user limit was reached")


def check_device(reader: Reader, permissions: Permissions, user: User, *, public: bool) -> None:
    """Refuse another device of a user."""
    most = permissions.user_role(user).limits.devices
    if most and len(reader.devices(user.id)) >= most:
        raise Refusal(403, "Can't create device: Device number limit exceeded.")
    if not public:
        check_private_device(reader, permissions, user)


def check_private_device(reader: Reader, permissions: Permissions, user: User) -> None:
    """Refuse another private device of a user."""
    most = permissions.user_role(user).limits.private_devices
    if most and sum(not device.public for device in reader.devices(user.id)) >= most:
        raise Refusal(403, _TOO_MANY_PRIVATE)


def check_stream(reader: Reader, permissions: Permissions, user: User, device_id: int) -> None:
    """Refuse another stream of a device."""
    most = permissions.user_role(user).limits.streams
    if most and reader.stream_count(device_id) >= most:
        raise Refusal(403, "Cannot create stream: Exceeded maximum stream number for device.")


def check_new_devices(permissions: Permissions, role: str, born: int, public: list[bool]) -> None:
    """
    Refuse devices that are created together with a user, if they are too many.

    Args:
        permissions: Who may do what.
        role: The new user's role.
        born: How many devices every user has. They are private, and never refused.
        public: For each further device whether it is public.
    """
    limits = permissions.user_roles[role].limits
    if public and 0 < limits.devices < born + len(public):
        raise Refusal(403, "Exceeded device limit")
    private = public.count(False)
    if private and 0 < limits.private_devices < born + private:
        raise Refusal(403, _TOO_MANY_PRIVATE)


def check_new_streams(permissions: Permissions, role: str, number: int, of: str) -> None:
    """Refuse streams that are created together with a ``"user"`` of this role, or a ``"device"`` of such a user, if they are too many."""
    most = permissions.user_roles[role].limits.streams if role in permissions.user_roles else 0
    if 0 < most < number:
        raise Refusal(403, f"Exceeded stream limit for {of}")


def check_size(reader: Reader, permissions: Permissions, user: User, device_id: int, series: Series) -> None:
    """Refuse points that have just been inserted if they are too many. The refusal undoes the insert."""
    limits = permissions.user_role(user).limits
    if limits.device_bytes and reader.device_size(device_id) > limits.device_bytes:
        raise Refusal(403, "Insert Failed: Exceeded device size limit")
    if limits.stream_bytes and reader.size(series) > limits.stream_bytes:
        raise Refusal(403, "Insert Failed: Exceeded stream size limit")


def has_room(
    reader: Reader, permissions: Permissions, user: User, device_id: int, series: Series, point: Datapoint
) -> bool:
    """Tell whether there is room for another point."""
    limits = permissions.user_role(user).limits
    if not (limits.device_bytes or limits.stream_bytes):
        return True
    more = len(json_text.dumps(point)) + 1  # and a comma before it
    return not (
        0 < limits.device_bytes < reader.device_size(device_id) + more
        or 0 < limits.stream_bytes < reader.size(series) + more
    )
