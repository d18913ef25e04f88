"""
Which server, which key, and which options a connection has: what was passed, the environment, a profile.

``choosing`` decides, and is told all of it by ``finding``, which looks into the environment (``environment``) and the user's file of
profiles (``profiles``); these four are loaded with the first connection, and entered by file. What every connection has, an address and
credentials, is entered here.
"""

from __future__ import annotations

from .address import DEFAULT_URL, NotGiven, base_urls
from .credentials import Credentials

__all__ = ["DEFAULT_URL", "Credentials", "NotGiven", "base_urls"]
