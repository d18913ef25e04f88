"""
Subscriptions: one websocket to the server, and the threads that run callbacks.

`Live` is what other rooms use: it hands whatever is inserted into a stream or its downlink to callbacks, despite lost connections,
and writes what a downlink's callback returns back as its acknowledgement. `check_insert` is for whatever inserts on a user's
behalf. This room knows no objects for users, devices and streams, and speaks REST only through the function that `Live` is given.
"""

from __future__ import annotations

from .commanding import command
from .events import ConnectionEvent, Event, Events
from .feedback import check_insert
from .handing import Batch
from .live import Live
from .many import ManySubscriptions, subscribe_to_many
from .mirrors import DeviceMirror, Listener, Mirror, mirror_device, mirror_stream
from .options import GoneReason, OnError, OnGone, Options, Overflow, State
from .socket import Timing
from .watch import Watch
from .watching import Callback, Subscription

__all__ = [
    "Batch",
    "Callback",
    "ConnectionEvent",
    "DeviceMirror",
    "Event",
    "Events",
    "GoneReason",
    "Listener",
    "Live",
    "ManySubscriptions",
    "Mirror",
    "OnError",
    "OnGone",
    "Options",
    "Overflow",
    "State",
    "Subscription",
    "Timing",
    "Watch",
    "check_insert",
    "command",
    "mirror_device",
    "mirror_stream",
    "subscribe_to_many",
]
