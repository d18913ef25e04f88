"""
Requests over HTTP: who sends bytes and receives them, and how long that may take.

A `Transport` is one server and the connections to it. What a request means, who may send it again and where else to, is decided
outside; nothing here knows of retries, credentials or other servers. requests and urllib3 are imported here, and nowhere else.
"""

from __future__ import annotations

from .answers import Damaged, unpacked
from .transport import Transport

__all__ = ["Damaged", "Transport", "unpacked"]
