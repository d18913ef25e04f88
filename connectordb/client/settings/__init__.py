"""
The settings of a connection: its server, key and options, from arguments, the environment or a profile.

``choosing`` decides which of them hold. ``finding`` tells it what there is, from the environment (``environment``) and the user's
file of profiles (``profiles``). These four are imported by file, with the first connection; this door has only what every
connection needs: an address and credentials.
"""

from __future__ import annotations

from .address import DEFAULT_URL, NotGiven, base_urls
from .credentials import Credentials

__all__ = ["DEFAULT_URL", "Credentials", "NotGiven", "base_urls"]
