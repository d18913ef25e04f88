"""
The objects that users work with: `ConnectorDB`, `User`, `Device`, `Stream`, all of it over REST.

What goes over the wire is said in ``protocol``; here lives who sends it, when, and what is remembered of the answers.
Subscriptions are not here: a session makes a `live` client when the first of them is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .address import base_urls
from .connectordb import ConnectorDB
from .database import Database
from .device import Device
from .finding import found_server
from .resource import ConnectorObject
from .retry import Retry
from .settings import Setting, Settings, Source
from .stream import Stream
from .timeouts import Timeout
from .user import User

if TYPE_CHECKING:
    from .profiles import DEFAULT_PROFILE, Profiles

__all__ = [
    "DEFAULT_PROFILE",
    "ConnectorDB",
    "ConnectorObject",
    "Database",
    "Device",
    "Profiles",
    "Retry",
    "Setting",
    "Settings",
    "Source",
    "Stream",
    "Timeout",
    "User",
    "base_urls",
    "found_server",
]


def __getattr__(name: str) -> Any:
    """Return what few programs need, and is loaded when it is asked for."""
    if name in ("DEFAULT_PROFILE", "Profiles"):
        from . import profiles

        return getattr(profiles, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
