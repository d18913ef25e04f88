"""
The objects that users work with: `ConnectorDB`, `User`, `Device`, `Stream`, all of it over REST.

What goes over the wire is said in ``protocol``; here lives who sends it, when, and what is remembered of the answers.
Subscriptions are not here: a session makes a `live` client when the first of them is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .address import base_urls
from .connectordb import ConnectorDB
from .device import Device
from .resource import ConnectorObject
from .retry import Retry
from .stream import Stream
from .timeouts import Timeout
from .user import User

if TYPE_CHECKING:
    from .database import Database
    from .finding import found_server
    from .loading import Loaded, load
    from .profiles import DEFAULT_PROFILE, Profiles
    from .saving import Saved, save
    from .settings import Setting, Settings, Source

__all__ = [
    "DEFAULT_PROFILE",
    "ConnectorDB",
    "ConnectorObject",
    "Database",
    "Device",
    "Loaded",
    "Profiles",
    "Retry",
    "Saved",
    "Setting",
    "Settings",
    "Source",
    "Stream",
    "Timeout",
    "User",
    "base_urls",
    "found_server",
    "load",
    "save",
]


#: What few programs ask for, and the file that is loaded then.
_RARE = {
    "Database": "database",
    "DEFAULT_PROFILE": "profiles",
    "Profiles": "profiles",
    "Setting": "settings",
    "Settings": "settings",
    "Source": "settings",
    "found_server": "finding",
    "Loaded": "loading",
    "load": "loading",
    "Saved": "saving",
    "save": "saving",
}


def __getattr__(name: str) -> Any:
    """Return what few programs need."""
    if name not in _RARE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_RARE[name]}", __name__), name)
