"""
The export directory of version 1, as names and shapes.

::

    EXPORT/connectordb.json                  {"Version": 1, "ConnectorDB": "0.3.0"}
    EXPORT/USER/user.json                    the user as the exporter may read it
    EXPORT/USER/DEVICE/device.json           "user" and "meta" included
    EXPORT/USER/DEVICE/STREAM/stream.json
    EXPORT/USER/DEVICE/STREAM/data.json      an array of points
    EXPORT/USER/DEVICE/STREAM/downlink.json  the same, only if the stream's downlink flag is set

The original's server writes version 2, in which ``user.json`` carries the password's hash as well.
"""

from __future__ import annotations

from typing import Any

from .constants import SERVER_VERSION

#: What clients write and read. Servers read both.
VERSION = 1

#: Names of the files, by what lies in them.
ABOUT = "connectordb.json"
OBJECT = {"user": "user.json", "device": "device.json", "stream": "stream.json"}
DATA = "data.json"
DOWNLINK = "downlink.json"


def about() -> dict[str, Any]:
    """Return what ``connectordb.json`` says."""
    return {"Version": VERSION, "ConnectorDB": SERVER_VERSION}
