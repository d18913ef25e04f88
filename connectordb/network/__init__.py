"""
How a server is reached: its name looked up, a connection made, proxies passed, TLS agreed upon; each within its time.

REST requests and the websocket go the same way, by the same rules: what one of them trusts and where it goes through, the other does
too. What is said once the way is open is said elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .proxies import Proxy, ProxyFailed, proxy_for
from .trust import Trust, certificate_advice

if TYPE_CHECKING:
    from .dialling import dial
    from .names import look_up
    from .opening import dial_proxy, open_way
    from .socks import pass_socks

__all__ = [
    "Proxy",
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

#: What the first connection needs, or a websocket, or a SOCKS proxy, and the file that is loaded then.
_LATER = {
    "dial": "dialling",
    "dial_proxy": "opening",
    "look_up": "names",
    "open_way": "opening",
    "pass_socks": "socks",
}


def __getattr__(name: str) -> Any:
    """Return what is not loaded with the package."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LATER[name]}", __name__), name)
