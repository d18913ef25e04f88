"""
The objects that users work with: `ConnectorDB`, `User`, `Device`, `Stream`, all of it over REST.

What goes over the wire is said in ``protocol``; here lives who sends it, when, and what is remembered of the answers.
Subscriptions are not here: a session makes a `live` client when the first of them is asked for.
"""

from __future__ import annotations

from .connectordb import ConnectorDB
from .database import Database
from .device import Device
from .resource import ConnectorObject
from .stream import Stream
from .timeouts import Timeout
from .user import User

__all__ = ["ConnectorDB", "ConnectorObject", "Database", "Device", "Stream", "Timeout", "User"]
