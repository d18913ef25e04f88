"""
Session cookies: what they contain, and the secret that signs them.

A cookie names a device, and proves that its API key was known without containing it: cookies are signed but not encrypted, and
the key itself could be used without the cookie's limits. When the key is reset the proof fails, which ends all sessions. Whether a
cookie is believed at all is decided by ``origins.py``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from ...exceptions import StorageError
from ...runtime.clock import SYSTEM, Clock
from ...runtime.durable import write
from ..rights.accounts import Caller, Cookie

log = logging.getLogger(__name__)

#: The cookie's name.
NAME = "connectordb-session"

#: The file in a database folder that has the secret, and the secret's length.
FILE_NAME = "connectordb.key"
_SECRET_BYTES = 32

_DAY = 86400

#: Days for which a cookie is valid that should end with the browser: many browsers keep such cookies for ever.
_UNREMEMBERED_DAYS = 30.0


class Cookies:
    """
    Makes and reads the cookies of one server.

    Args:
        secret: Signs them. Whoever knows it can log in as anybody.
        days: How long a remembered login lasts.
        clock: Tells when one was made.
    """

    def __init__(self, secret: bytes, days: float, clock: Clock = SYSTEM) -> None:
        self._signer = URLSafeSerializer(
            secret, salt=NAME, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )
        self._proof_key = hmac.digest(secret, b"proof of an API key", "sha256")
        self._days = days
        self._clock = clock

    def give(self, caller: Caller, remember: bool, encrypted: bool) -> str:
        """
        Return the value of ``Set-Cookie`` that logs a browser in.

        Args:
            caller: Whom the browser is logged in as.
            remember: Whether the login outlasts the browser.
            encrypted: Whether the client came by TLS; then the cookie is never sent without it.
        """
        assert caller.user is not None and caller.device is not None and caller.device.apikey
        days = self._days if remember else min(self._days, _UNREMEMBERED_DAYS)
        names = [caller.user.name, caller.device.name]
        ends = int(self._clock.wall() + days * _DAY)
        value = self._signer.dumps([names, self._proof(names, caller.device.apikey), ends])
        return _header(str(value), int(days * _DAY) if remember else None, encrypted)

    def take(self, encrypted: bool) -> str:
        """Return the value of ``Set-Cookie`` that logs a browser out."""
        return _header("", 0, encrypted)

    def read(self, header: str) -> Cookie | None:
        """Return the credentials in a ``Cookie`` header; `None` if it has no cookie that this server made and that is still valid."""
        for part in header.split(";"):
            name, _, value = part.partition("=")
            if name.strip() == NAME:
                return self._read(value.strip().strip('"'))
        return None

    def _read(self, value: str) -> Cookie | None:
        try:
            names, proof, ends = self._signer.loads(value)
        except BadData:
            return None
        if self._clock.wall() >= ends:
            return None
        return Cookie(tuple(names), self._proves(names, proof))

    def _proves(self, names: list[str], proof: str) -> Callable[[str], bool]:
        return lambda apikey: hmac.compare_digest(proof, self._proof(names, apikey))

    def _proof(self, names: list[str], apikey: str) -> str:
        # a keyed hash, as API keys that a user chose could be found from a plain one by guessing
        text = "/".join([*names, apikey]).encode("utf-8", "surrogatepass")
        return base64.b64encode(hmac.digest(self._proof_key, text, "sha256")[:16]).decode()


def _header(value: str, seconds: int | None, encrypted: bool) -> str:
    age = "" if seconds is None else f"; Max-Age={seconds}"
    secure = "; Secure" if encrypted else ""
    return f"{NAME}={value}; Path=/{age}; HttpOnly; SameSite=Strict{secure}"


def load_secret(directory: Path) -> bytes:
    """
    Return the secret of a database folder, making one if there is none. Only for the process that has the folder open.

    Raises:
        StorageError: It cannot be read or written.
    """
    path = directory / FILE_NAME
    try:
        with open(path, "rb") as file:
            secret = file.read()
        if len(secret) == _SECRET_BYTES:
            return secret
        log.warning("%s is damaged; it is made anew, and all browsers have to log in again", path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StorageError(f"reading {str(path)!r}: {error.strerror}; may it be read?") from error
    secret = secrets.token_bytes(_SECRET_BYTES)
    write(path, secret)
    return secret
