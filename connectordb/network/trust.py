"""
Which certificates are trusted, and which one we present: one TLS context for REST requests and the websocket alike.

What requests itself does would not cover the websocket, and would let an environment variable override what a program passed.
"""

from __future__ import annotations

import os
import ssl
from typing import NoReturn

import certifi

from ..exceptions import LocalProtocolError

#: Environment variables that name a file of authorities, as for requests and curl.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

#: OpenSSL's codes for faults of a certificate that trusting another authority would not mend → what would.
_OTHERWISE = {
    9: "is the clock of this machine right?",
    10: "the server needs a new one, unless the clock of this machine is wrong",
    62: "is it the right server? then use the name that is in its certificate as its address",
    64: "is it the right server? then use the name that is in its certificate as its address",
}


def certificate_advice(refused: ssl.SSLCertVerificationError) -> str:
    """Return what to do about a server's certificate that was *refused*."""
    usual = "to trust an authority of your own, pass its certificate as verify="
    return _OTHERWISE.get(getattr(refused, "verify_code", 0), usual)


class Trust:
    """
    The certificates for TLS.

    Args:
        verify: Whether to check the server's certificate; or a file or folder of authorities to trust. ``True`` means the file that
            ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` names, or else the authorities that browsers trust.
        cert: Our own certificate: one file, or a file with the certificate and one with its key.
        context: An `ssl.SSLContext`, instead of these two.

    Raises:
        LocalProtocolError: A file does not exist, or both a context and files were passed.
    """

    def __init__(
        self,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if context is not None:
            if verify is not True or cert is not None:
                raise LocalProtocolError("ssl_context= says all about TLS: pass verify= and cert= or that, not both")
            if not isinstance(context, ssl.SSLContext):
                raise LocalProtocolError(f"ssl_context={context!r}: expected an ssl.SSLContext")
        for name, value in (("verify", verify), *(("cert", part) for part in _parts(cert))):
            if not isinstance(value, bool):
                _check_file(name, value)
        self._verify = verify
        self._cert = cert
        self._context = context

    @property
    def context(self) -> ssl.SSLContext:
        """
        The TLS context, made when it is first needed.

        Raises:
            LocalProtocolError: A file does not hold what it should.
        """
        if self._context is None:
            self._context = self._made()
        return self._context

    def _made(self) -> ssl.SSLContext:
        if self._verify is False:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            where = _authorities() if self._verify is True else os.fspath(self._verify)
            try:
                folder = os.path.isdir(where)
                # with the strictness that is the default of this Python
                context = ssl.create_default_context(cafile=None if folder else where, capath=where if folder else None)
            except (OSError, ssl.SSLError) as error:
                raise LocalProtocolError(
                    f"{where!r} holds no certificates of authorities in PEM: {_said(error)}"
                ) from error
        if self._cert is not None:
            certificate, key = self._cert if not isinstance(self._cert, str) else (self._cert, None)
            try:
                context.load_cert_chain(certificate, key, _no_password)
            except (OSError, ssl.SSLError) as error:
                raise LocalProtocolError(
                    f"cert={self._cert!r}: that is no certificate with its key in PEM: {_said(error)}"
                ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _parts(cert: object) -> tuple[object, ...]:
    """Return the files of a client's certificate."""
    if cert is None:
        return ()
    return tuple(cert) if isinstance(cert, (tuple, list)) and len(cert) == 2 else (cert,)


def _authorities() -> str:
    """Return the file of authorities that is trusted by default."""
    for name in _BUNDLES:
        named = os.environ.get(name)
        if named:
            if not os.path.exists(named):
                raise LocalProtocolError(f"{name} names {named!r}, and there is no such file; mend it, or pass verify=")
            return named
    return certifi.where()


def _check_file(name: str, value: object) -> None:
    if not isinstance(value, (str, os.PathLike)):
        raise LocalProtocolError(
            f"{name}={value!r}: expected "
            + ("True, False, or a file or folder of certificates" if name == "verify" else "a file, or two of them")
        )
    if not os.path.exists(value):
        raise LocalProtocolError(f"{name}={os.fspath(value)!r}: there is no such file")


def _said(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)


def _no_password() -> NoReturn:
    # otherwise OpenSSL asks at the terminal, and a service waits for ever
    raise LocalProtocolError(
        "cert=: the key is locked with a password; load it into an ssl.SSLContext, and pass that as ssl_context="
    )
