"""
The Logger: points go into a file on this machine, and from there to the server, each exactly once.

This room has the object that programs use, the file in which points wait, and the decisions about what is sent when. Nothing here
speaks HTTP: that is the business of `connectordb.client`.
"""

from __future__ import annotations

from .care import check, vacuum
from .limits import Limits
from .lines import Lines
from .logger import Logger
from .receipt import Receipt
from .rows import Mended, Status, StreamStatus

__all__ = ["Limits", "Lines", "Logger", "Mended", "Receipt", "Status", "StreamStatus", "check", "vacuum"]
