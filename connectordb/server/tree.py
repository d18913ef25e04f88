"""Making a user with the devices that every user has: by a request, an import, or on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .rights.accounts import USER_DEVICE, new_apikey
from .storage import User, Writer

#: The device that holds automatically made streams, above all the log of changes.
META_DEVICE = "meta"

#: The role of those who administer the server.
ADMIN = "admin"

#: The devices that every user has, and that are deleted only with the user.
BORN_DEVICES = (USER_DEVICE, META_DEVICE)

_USER_DEFAULTS = {"nickname": "", "description": "", "icon": ""}


def create_user(writer: Writer, fields: Mapping[str, Any], password_hash: str) -> User:
    """
    Make a user with the two devices that every user has.

    Args:
        writer: Where to make it.
        fields: ``name``, ``email``, ``role``, ``public``, and unless they are empty ``nickname``, ``description``, ``icon``; all
            checked already.
        password_hash: As returned by `passwords.hash_password`.

    Raises:
        Taken: Somebody has this name or email address.
    """
    user = writer.create_user({**_USER_DEFAULTS, **fields, "password": password_hash})
    writer.create_device(
        user.id,
        {
            "name": USER_DEVICE,
            "nickname": "",
            "description": "Holds manually inserted data for the user",
            "icon": "material:person",
            "apikey": new_apikey(),
            "enabled": True,
            "public": False,
            "role": "user",
            "visible": True,
            "user_editable": True,
        },
    )
    writer.create_device(
        user.id,
        {
            "name": META_DEVICE,
            "nickname": "",
            "description": "The meta device holds automatically generated streams",
            "icon": "material:bug_report",
            "apikey": "",
            "enabled": True,
            "public": False,
            "role": "",
            "visible": False,
            "user_editable": False,
        },
    )
    return user
