"""Brings a server's address, as users write it, into the one form that is used everywhere; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from ...exceptions import LocalProtocolError
from ...protocol.constants import API_ROOT, CONNECTORDB_URL

_HOST = r"[^\s/\\?#@<>\"'`{}|^%\x00-\x20]+"


class NotGiven(str):
    """The default value of an argument; its class distinguishes it from the same text passed by a user."""


#: The default of ``url``.
DEFAULT_URL = NotGiven(CONNECTORDB_URL)


def base_url(given: object) -> str:
    """
    Return a server's address without ``/api/v1`` and without a slash at its end.

    The scheme is ``https://`` if there is none. A path before ``/api/v1`` is kept.

    Raises:
        LocalProtocolError: It is not a valid address.
    """
    if not isinstance(given, str) or not given.strip():
        raise _refusal(given, "is no address")
    text = given.strip()
    if re.match("https?:/(?!/)", text, re.IGNORECASE):
        raise _refusal(_without_secret(given), "lacks a slash after its scheme")
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _refusal(_without_secret(given), f"is no address ({error})") from error
    if "@" in parts.netloc:
        raise _refusal(_without_secret(given), "holds a name or a password: pass them as arguments")
    if parts.scheme not in ("http", "https"):
        raise _refusal(given, f"has the scheme {parts.scheme!r}")
    if parts.query or parts.fragment:
        raise _refusal(_without_secret(given), "has a query or a fragment, which no server's address has")
    if not parts.hostname or not re.fullmatch(_HOST, parts.netloc) or port == 0:
        raise _refusal(given, "names no host")
    if not re.fullmatch(_HOST, parts.path.replace("/", "") or "-"):
        raise _refusal(given, "has a path that no address can have")
    path = parts.path.rstrip("/").removesuffix(API_ROOT).rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def base_urls(given: object) -> tuple[str, ...]:
    """
    Return the addresses of one or several servers, each as `base_url` returns it, without repetitions.

    Raises:
        LocalProtocolError: One of them is not a valid address, or there is none.
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        return (base_url(given),)
    if not given:
        raise LocalProtocolError("url=[] names no server")
    return tuple(dict.fromkeys(base_url(one) for one in given))


def _refusal(given: object, why: str) -> LocalProtocolError:
    return LocalProtocolError(f"the url {given!r} {why}; expected something like {CONNECTORDB_URL!r}")


def _without_secret(given: str) -> str:
    """Return an address without the parts that may contain a password or a key."""
    scheme, found, rest = given.rpartition("://")
    return scheme + found + re.sub(r"\?.*", "?…", rest.rpartition("@")[2])
