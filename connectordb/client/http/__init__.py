"""
Sending requests over HTTP, and receiving the answers, within a given time.

A `Transport` is one server and the connections to it. It knows nothing of retries, credentials or other servers; these are decided
outside. Only this room imports requests and urllib3.
"""

from __future__ import annotations

from .answers import Damaged, unpacked
from .transport import Transport

__all__ = ["Damaged", "Transport", "unpacked"]
