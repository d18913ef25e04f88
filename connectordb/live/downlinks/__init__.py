"""
The device's side of commands: what a downlink's subscriber owes for each command, and how that is paid, whatever happens.

`Commands` handles one command after the other for a subscription: it acts once, acknowledges once, and remembers how far it came.
The other modules are its parts: the user's choices, what a returned value means, what is owed, and how that is written. There is no
websocket and no queue here; the side that commands is in `commanding`.
"""

from __future__ import annotations

from .absences import Absences
from .acknowledge import Claim
from .commands import Commands, Tell
from .policy import Policy
from .steps import Step
from .writing import NotYet, Server

__all__ = ["Absences", "Claim", "Commands", "NotYet", "Policy", "Server", "Step", "Tell"]
