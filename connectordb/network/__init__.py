"""
How a server is reached: its name looked up, a connection made, proxies passed, TLS agreed upon; each within its time.

REST requests and the websocket go the same way, by the same rules: what one of them trusts and where it goes through, the other does
too. What is said once the way is open is said elsewhere.
"""

from __future__ import annotations

from .dialling import dial
from .names import look_up
from .opening import dial_proxy, open_way
from .proxies import ProxyFailed, proxy_for
from .socks import pass_socks
from .trust import Trust, certificate_advice

__all__ = [
    "ProxyFailed",
    "Trust",
    "certificate_advice",
    "dial",
    "dial_proxy",
    "look_up",
    "open_way",
    "pass_socks",
    "proxy_for",
]
