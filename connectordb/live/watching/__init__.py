"""
Who watches what, how far the server has been told, and who is told what the server says.

`Switchboard` is what users' threads and the socket's thread share; `Subscription` is what a user holds. There is no socket here.
"""

from __future__ import annotations

from .subscription import Callback, Subscription
from .subscriptions import Key
from .switchboard import Switchboard

__all__ = ["Callback", "Key", "Subscription", "Switchboard"]
