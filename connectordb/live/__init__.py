"""
Subscriptions: one websocket to the server, and the threads that run callbacks.

`Live` is all there is to it for others: what is inserted into a stream or its downlink is handed to callbacks, through lost
connections, and what a downlink's callback returns is written back as its acknowledgement. `check_insert` is for whoever
inserts on a user's behalf. No objects of users, devices and streams live here, and no REST but through the function that
`Live` is given.
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
