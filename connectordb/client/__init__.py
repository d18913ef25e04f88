"""
The objects that users work with: `ConnectorDB`, `User`, `Device` and `Stream`, over REST.

``protocol`` says what crosses the wire; this package decides when to send it and what to keep of the answers. Subscriptions
live elsewhere: a session creates a `live` client when the first subscription is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .connectordb import ConnectorDB
from .device import Device
from .resource import ConnectorObject
from .settings import base_urls
from .stream import Stream
from .terms import Retry, Timeout
from .user import User

if TYPE_CHECKING:
    from .database import Database
    from .folders.loading import Loaded, load
    from .folders.saving import Saved, save
    from .points.coming import coming, coming_arrays
    from .settings.choosing import Setting, Settings, Source
    from .settings.finding import found_server
    from .settings.profiles import DEFAULT_PROFILE, Profiles

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
    "coming",
    "coming_arrays",
    "found_server",
    "load",
    "save",
]


#: Names that few programs use, with the module that is loaded when one is.
_RARE = {
    "Database": "database",
    "DEFAULT_PROFILE": "settings.profiles",
    "Profiles": "settings.profiles",
    "Setting": "settings.choosing",
    "Settings": "settings.choosing",
    "Source": "settings.choosing",
    "found_server": "settings.finding",
    "Loaded": "folders.loading",
    "load": "folders.loading",
    "coming": "points.coming",
    "coming_arrays": "points.coming",
    "Saved": "folders.saving",
    "save": "folders.saving",
}


def __getattr__(name: str) -> Any:
    """Import the rarely used names when they are asked for."""
    if name not in _RARE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_RARE[name]}", __name__), name)
