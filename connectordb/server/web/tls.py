"""The server's certificate: loaded with errors that say what is wrong with its files, and again when they change."""

from __future__ import annotations

import logging
import os
import ssl
import time
from pathlib import Path

from ...exceptions import ConfigurationError
from ..file_marks import Mark, mark

log = logging.getLogger(__name__)

#: Seconds between two looks at the files.
_LOOK = 5.0


class Certificate:
    """
    A certificate with its key, kept up to date with their files.

    Args:
        cert: The file with the certificate, followed by its chain.
        key: The file with the key; empty if it is in *cert*.

    Raises:
        ConfigurationError: The files cannot be used.
    """

    def __init__(self, cert: str | os.PathLike[str], key: str | os.PathLike[str] = "") -> None:
        self._cert = os.fspath(cert)
        self._key = os.fspath(key) or self._cert
        self._state = self._files()
        self._context = _load(self._cert, self._key)
        self._next_look = time.monotonic() + _LOOK

    def context(self) -> ssl.SSLContext:
        """Return the TLS context for a new connection: of the files as they are, or as they last were valid."""
        if time.monotonic() >= self._next_look:
            self.look()
        return self._context

    def look(self, *, again: bool = False) -> None:
        """Load the files if they have changed; with *again*, even if they have not."""
        self._next_look = time.monotonic() + _LOOK
        state = self._files()
        if state == self._state and not again:
            return
        try:
            self._context = _load(self._cert, self._key)
        except ConfigurationError as error:
            # tried again at the next look: certificate and key are rarely written at the same moment
            log.error("the new certificate is not used, the old one stays: %s", error)
            return
        self._state = state
        log.info("using the certificate in %s as it is now", self._cert)

    def _files(self) -> tuple[Mark | None, ...]:
        return mark(self._cert), mark(self._key)


def _load(cert: str, key: str) -> ssl.SSLContext:
    _check(cert, "tls_cert", b"CERTIFICATE-----", "a certificate (PEM, -----BEGIN CERTIFICATE-----)")
    _check(key, "tls_key", b"PRIVATE KEY-----", "a private key (PEM, -----BEGIN PRIVATE KEY-----)")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # it would cost the server much, and a client little
    context.set_alpn_protocols(["http/1.1"])
    locked: list[bool] = []

    def password() -> bytes:
        locked.append(True)  # without this function, OpenSSL would ask for the password at the terminal
        return b""

    try:
        context.load_cert_chain(cert, key, password)
    except ssl.SSLError as error:
        if locked:
            raise ConfigurationError(
                f"tls_key: the key in {key!r} is encrypted; write it without a password, to a file that only the server reads"
            ) from error
        if "KEY_VALUES_MISMATCH" in str(error):
            raise ConfigurationError(
                f"tls_key: the key in {key!r} is not that of the first certificate in {cert!r}; the server's own "
                "certificate comes first, then the chain"
            ) from error
        raise ConfigurationError(f"tls_cert, tls_key: {cert!r} with {key!r} cannot be used: {error}") from error
    return context


def _check(path: str, setting: str, marker: bytes, expected: str) -> None:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{setting}: reading {path!r}: {error.strerror}") from error
    if marker not in content:
        raise ConfigurationError(f"{setting}: there is no such thing in {path!r} as {expected}")
