"""
Who is calling: credentials to caller, and password hashes. Whether the caller may do something is ``permissions.py``.

Logging in takes three steps, as the storage must not wait for a slow hash nor the event loop for either: `read_credentials`
(at once), `look_up` (inside a storage read), `confirm` (on a thread of its own where `Claim.is_slow`). The rules and messages
are those of the wire (``docs/topics/wire.rst``); nothing falls through to the next kind of credentials after a failure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from hmac import compare_digest

from ..exceptions import ConnectorDBError
from ..protocol.constants import NOBODY
from .storage import Device, Reader, User

#: The device that a login by password is.
USER_DEVICE = "user"

#: scrypt's cost, block size and parallelism for new hashes: 16 MiB and about 65 ms on a desktop of 2020. The memory is
#: taken for each login that runs, also on a small board, hence two passes rather than twice as much of it.
_N, _R, _P = 2**14, 8, 2

#: Bytes that verifying a hash may take: one from elsewhere must not exhaust the machine. And its number of passes.
_MEMORY_LIMIT = 64 * 1024 * 1024
_MOST_PASSES = 16

_KIND = "scrypt"


class LoginRefused(ConnectorDBError):
    """The credentials are none, or wrong: a 401 with this text."""


@dataclass(frozen=True, slots=True)
class Caller:
    """
    On whose behalf a request runs.

    Attributes:
        user: The user; `None` for an anonymous caller.
        device: The device; `None` for an anonymous caller.
    """

    user: User | None = None
    device: Device | None = None

    @property
    def path(self) -> str:
        """``user/device``, or ``nobody``."""
        return f"{self.user.name}/{self.device.name}" if self.user and self.device else NOBODY


ANONYMOUS = Caller()


@dataclass(frozen=True, slots=True)
class Password:
    """A user's name or email address, and what should be the password."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Key:
    """What should be a device's API key."""

    apikey: str


#: None of them: an anonymous caller.
Credentials = Password | Key | None


@dataclass(frozen=True, slots=True)
class Claim:
    """
    Who the credentials say is calling, not confirmed yet.

    Attributes:
        caller: The caller, if the password is right.
        password: What was given as a password; `None` where nothing is left to be checked.
    """

    caller: Caller
    password: str | None = None

    @property
    def is_slow(self) -> bool:
        """Whether `confirm` takes long, on purpose."""
        return self.password is not None


def read_credentials(authorization: str | None, apikey: str | None) -> Credentials:
    """
    Return the credentials of a request, of which the first kind that is there decides.

    Args:
        authorization: The ``Authorization`` header. What is not well-formed Basic counts as absent.
        apikey: The query parameter of that name.
    """
    basic = _read_basic(authorization) if authorization else None
    if basic is not None:
        name, secret = basic
        return Password(name, secret) if name else Key(secret)
    return Key(apikey) if apikey else None


def _read_basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    try:
        text = decoded.decode()
    except UnicodeDecodeError:
        # what requests and some browsers send
        text = decoded.decode("latin-1")
    name, colon, secret = text.partition(":")
    return (name, secret) if colon else None


def look_up(reader: Reader, credentials: Credentials) -> Claim:
    """
    Return who these credentials say is calling; quick.

    Raises:
        LoginRefused: There is nobody like that.
    """
    if credentials is None:
        return Claim(ANONYMOUS)
    if isinstance(credentials, Key):
        return Claim(_key_owner(reader, credentials.apikey))
    user = reader.find_login(credentials.name)
    device = reader.find((user.name, USER_DEVICE)).device if user else None
    if user is None or device is None:
        raise LoginRefused("Login Failed. Check your username or password")
    return Claim(Caller(user, device), credentials.password)


def _key_owner(reader: Reader, apikey: str) -> Caller:
    if not apikey:
        # a device without a key has the empty one on the original, and could be logged in to with it
        raise LoginRefused("Must have non-empty api key")
    found = reader.find_key(apikey)
    if found is None:
        raise LoginRefused("The requested device was not found.")
    return Caller(*found)


def confirm(claim: Claim) -> Caller:
    """
    Return the caller once the password, if there is one, has proven right; slow if it has to be checked.

    Raises:
        LoginRefused: It is wrong.
    """
    if claim.password is not None:
        assert claim.caller.user is not None  # only users have passwords
        if not verify_password(claim.password, claim.caller.user.password):
            raise LoginRefused("Incorrect Password")
    return claim.caller


def hash_password(password: str) -> str:
    """Return what is stored of a password: ``scrypt$n$r$p$salt$hash``; takes about 65 ms and 16 MiB."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _N, _R, _P)
    return "$".join((_KIND, str(_N), str(_R), str(_P), _text(salt), _text(digest)))


def verify_password(password: str, stored: str) -> bool:
    """Tell whether this is the password that *stored* was made of; a text that is no hash of ours fits none."""
    kind, *rest = stored.split("$")
    if kind != _KIND or len(rest) != 5:
        return False
    try:
        n, r, p = (int(number) for number in rest[:3])
        salt, digest = (base64.b64decode(part, validate=True) for part in rest[3:])
    except ValueError:
        return False
    if not (1 < n and 0 < r and 128 * n * r <= _MEMORY_LIMIT and 0 < p <= _MOST_PASSES and n & (n - 1) == 0):
        return False
    return compare_digest(_scrypt(password, salt, n, r, p), digest)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # "surrogatepass": JSON can carry halves of characters, and every text may be a password
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=2 * _MEMORY_LIMIT, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def new_apikey() -> str:
    """Return a random API key, of the shape that the original gives."""
    return str(uuid.uuid4())
