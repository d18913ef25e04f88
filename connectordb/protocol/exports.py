"""
The layout of an export directory: the names of its files, and what they hold.

::

    EXPORT/connectordb.json                  {"Version": 1, "ConnectorDB": "0.3.0"}
    EXPORT/USER/user.json                    the user as the exporter may read it
    EXPORT/USER/DEVICE/device.json           "user" and "meta" included
    EXPORT/USER/DEVICE/STREAM/stream.json
    EXPORT/USER/DEVICE/STREAM/data.json      an array of points
    EXPORT/USER/DEVICE/STREAM/downlink.json  the same, only if the stream's downlink flag is set

That is version 1, which clients write. Servers write version 2, in which ``user.json`` has the password's hash as well.
"""

from __future__ import annotations

from typing import Any

from .constants import SERVER_VERSION

#: The version that clients write, the one that servers write, and those that both read; clients skip the passwords.
VERSION = 1
SERVERS_VERSION = 2
READABLE = (VERSION, SERVERS_VERSION)

#: The names of the files.
ABOUT = "connectordb.json"
OBJECT = {"user": "user.json", "device": "device.json", "stream": "stream.json"}
DATA = "data.json"
DOWNLINK = "downlink.json"

#: The keys that ``user.json`` has in version 2 only: the hash, its salt, and how it was made.
PASSWORD = ("password", "password_salt", "password_scheme")


def about(version: int = VERSION) -> dict[str, Any]:
    """Return what ``connectordb.json`` says."""
    return {"Version": version, "ConnectorDB": SERVER_VERSION}
