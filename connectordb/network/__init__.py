"""
How a server is reached: looking up its name, connecting, passing proxies, agreeing on TLS; each step with a time limit.

REST requests and the websocket reach the server in the same way: they trust the same certificates, and go through the same proxies.
What is sent once the connection is open is the business of other rooms.
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

#: What only a connection needs, and the module that is imported then.
_LATER = {
    "dial": "dialling",
    "dial_proxy": "opening",
    "look_up": "names",
    "open_way": "opening",
    "pass_socks": "socks",
}


def __getattr__(name: str) -> Any:
    """Import what is not loaded with the package."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LATER[name]}", __name__), name)
