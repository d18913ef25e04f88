"""
The Python client of ConnectorDB, a live time-series database, and an embedded server.

::

    from connectordb import ConnectorDB

    with ConnectorDB("mara", "secret", url="http://localhost:3124") as cdb:
        cdb("mara/room/temperature").insert(21.5)
"""

from __future__ import annotations

from .client import ConnectorDB, Device, Retry, Stream, Timeout, User
from .datapoints import DatapointArray
from .exceptions import (
    AuthenticationError,
    CertificateRefused,
    ClosedError,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    ConnectorDBError,
    DatabaseInUse,
    DownlinkError,
    DownlinkRefused,
    DownlinkTimeout,
    InvalidRange,
    InvalidRequest,
    LiveError,
    LocalProtocolError,
    LoggerError,
    LoggerFull,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    PipeScriptError,
    PointsMissed,
    ProtocolError,
    RememberInUse,
    RemoteProtocolError,
    ResponseError,
    ServerError,
    ServerTrouble,
    StorageDamaged,
    StorageError,
    StorageFull,
    StreamGone,
    StreamNotAdded,
    TimedOut,
    TooSlow,
)
from .protocol.constants import CONNECTORDB_URL, DATAPOINT_INSERT_LIMIT
from .protocol.points import DatapointWarning

__version__ = "1.0.0.dev0"

__all__ = [
    "AuthenticationError",
    "CONNECTORDB_URL",
    "CertificateRefused",
    "ClosedError",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "ConnectorDB",
    "ConnectorDBError",
    "DATAPOINT_INSERT_LIMIT",
    "DatabaseInUse",
    "DatapointArray",
    "DatapointWarning",
    "Device",
    "DownlinkError",
    "DownlinkRefused",
    "DownlinkTimeout",
    "InvalidRange",
    "InvalidRequest",
    "LiveError",
    "LocalProtocolError",
    "LoggerError",
    "LoggerFull",
    "NotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "PipeScriptError",
    "PointsMissed",
    "ProtocolError",
    "RememberInUse",
    "RemoteProtocolError",
    "ResponseError",
    "Retry",
    "ServerError",
    "ServerTrouble",
    "StorageDamaged",
    "StorageError",
    "StorageFull",
    "Stream",
    "StreamGone",
    "StreamNotAdded",
    "TimedOut",
    "Timeout",
    "TooSlow",
    "User",
    "__version__",
]
