"""Turns what goes wrong with a request into our exceptions, which say what was tried, what happened, and what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import TypeVar

import requests
from urllib3.exceptions import LocationValueError, ProxyError

from ...exceptions import (
    CertificateRefused,
    ConnectionFailed,
    ConnectorDBError,
    LocalProtocolError,
    RemoteProtocolError,
    TimedOut,
)
from ...network import Proxy, ProxyFailed, certificate_advice
from ..terms.judging import Fate
from .allowance import Allowance

E = TypeVar("E", bound=ConnectorDBError)

#: What TLS libraries report if the other side answers in plain HTTP.
_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")

#: What they report if the server wants a certificate of the client.
_WANTS_CERTIFICATE = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "HANDSHAKE_FAILURE")

#: What is raised if the address of the server, or of a proxy, is not valid.
_ADDRESSES = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidProxyURL,
    LocationValueError,
    UnicodeError,
)

#: Phase → what did not happen in time, and what to do.
_LATE = {
    "pool": ("no connection was free", "allow more of them with pool_size="),
    "resolve": ("the server's name was not found", "is there a network, and does its name server answer?"),
    "connect": ("no connection", "is the server there, and is a firewall between?"),
    "tls": ("no TLS connection", "does the server speak HTTPS?"),
    "write": ("the request was not taken", "try again, or allow more with timeout="),
    "read": ("no answer", "try again, or allow more with timeout="),
}


def translated(error: Exception, what: str, allowance: Allowance, proxy: Proxy | None = None) -> ConnectorDBError:
    """
    Return our exception for an error, and note in the trace what became of the request.

    Args:
        error: What requests, urllib3, http.client, ssl, the system or this package raised.
        what: The request, in words, without secrets.
        allowance: Its time and its trace.
        proxy: The proxy that leads to the server; ``None`` if there is none.
    """
    causes = list(_causes(error, allowance.handled))
    # the first cause, as the layers above it put whole URLs and the names of Python objects into their messages
    trace, deepest = allowance.trace, causes[-1]
    if isinstance(error, ConnectorDBError):
        if isinstance(error, RemoteProtocolError):
            trace.fate = Fate.BROKEN
        return _named(error, what)
    if any(isinstance(cause, _ADDRESSES) for cause in causes):
        return LocalProtocolError(f"{what}: {_reason(deepest)}")
    is_late = isinstance(deepest, TimeoutError)
    connects = allowance.connecting is not None or trace.phase == "pool"
    if trace.complete:
        trace.fate = Fate.SILENT if is_late else Fate.BROKEN
    through = "" if proxy is None else f"; the way there leads through {proxy}"
    if is_late:
        happened, advice = _LATE[trace.phase]
        if proxy is not None and trace.phase in ("resolve", "connect"):
            happened, advice, through = f"{proxy} gave no connection", "does it answer, and the server behind it?", ""
        return TimedOut(f"{what}: {happened} within {allowance.what_ended()}; {advice}{through}", trace.phase)
    refused = isinstance(deepest, ssl.SSLCertVerificationError)
    if proxy is not None and not refused and any(isinstance(cause, (ProxyError, ProxyFailed)) for cause in causes):
        own = next((str(cause) for cause in causes if isinstance(cause, ProxyFailed)), None)
        return ConnectionFailed(f"{what}: {own or proxy.gave_none(_reason(deepest))}")
    return (CertificateRefused if refused else ConnectionFailed)(
        f"{what}: {_explained(deepest, connects)}{'' if isinstance(deepest, InterruptedError) else through}"
    )


def _named(error: E, what: str) -> E:
    """Return one of our exceptions with the request in front of its message."""
    if isinstance(error, TimedOut):
        return type(error)(f"{what}: {error}", error.phase)
    return type(error)(f"{what}: {error}")


def _explained(error: BaseException, connects: bool) -> str:
    reason = _reason(error)
    if isinstance(error, InterruptedError):
        return "it was under way when the connections were closed here"
    if isinstance(error, ssl.SSLError):
        sign = reason.upper().replace(" ", "_")
        if any(known in sign for known in _PLAIN_HTTP):
            return f"something speaks plain HTTP there, not HTTPS: if that is the server, say url='http://…' ({reason})"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"no TLS connection: {reason.rstrip('.')}; {certificate_advice(error)}"
        if not connects or any(known in sign for known in _WANTS_CERTIFICATE):
            return f"the server refused TLS: {reason}; if it asks for a certificate of the client, pass that as cert="
        return f"no TLS connection: {reason}; does the server speak HTTPS? if not, say url='http://…'"
    if isinstance(error, socket.gaierror):
        return f"no connection: the server's name was not found ({reason}); is this its address?"
    if connects:
        return f"no connection: {reason}; is the server running, and is this its address?"
    return f"the connection broke: {reason}"


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_message:
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _causes(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, its cause, the cause of that, and so on, but not what was *handled* already when the request began."""
    seen = {id(handled)} - {id(error)}
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        inner = [getattr(here, "reason", None), *here.args]
        here = (
            next((cause for cause in inner if isinstance(cause, BaseException)), None)
            or here.__cause__
            or (None if here.__suppress_context__ else here.__context__)
        )
