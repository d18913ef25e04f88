"""
Who is calling: from credentials to a caller. What the caller may do is in ``permissions.py``, and hashes are in ``passwords.py``.

Logging in takes three steps, as the storage must not wait for a slow hash, and the event loop must wait for neither:
`read_credentials` (at once), `look_up` (in the storage), and `confirm` (on a thread for that if `Claim.is_slow`). The rules and
messages are those of the wire (``docs/topics/wire.rst``). If one kind of credentials is wrong, no other kind is tried.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ...exceptions import ConnectorDBError
from ...protocol.constants import NOBODY
from ..storage import Device, Reader, User
from .passwords import verify_password

#: The device as which people are logged in by password.
USER_DEVICE = "user"


_NO_DEVICE = "The requested device was not found."


class LoginRefused(ConnectorDBError):
    """The credentials are missing or wrong: a 401 with this text."""


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who sends a request.

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
    """A user's name or email address, and a password to be checked."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key to be looked up."""

    apikey: str


@dataclass(frozen=True, slots=True)
class Cookie:
    """
    The content of a session cookie that this server made.

    Attributes:
        names: The names of the device's user and of the device.
        proves: Tells whether an API key is the one that the device had when the cookie was made.
    """

    names: tuple[str, ...]
    proves: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Known:
    """A caller who was confirmed a moment ago."""

    caller: Caller


#: `None` is an anonymous caller.
Credentials = Password | Key | Cookie | Known | None


@dataclass(frozen=True, slots=True)
class Claim:
    """
    Who the credentials say is calling, not confirmed yet.

    Attributes:
        caller: The caller, if the password is right.
        password: The password that was given; `None` if nothing is left to be checked.
    """

    caller: Caller
    password: str | None = None

    @property
    def is_slow(self) -> bool:
        """Whether `confirm` takes long, on purpose."""
        return self.password is not None


def read_credentials(authorization: str | None, apikey: str | None) -> Credentials:
    """
    Return the credentials of a request. If there are several kinds, the first one counts.

    Args:
        authorization: The ``Authorization`` header. Anything but well-formed Basic counts as absent.
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
        # the encoding that requests and some browsers use
        text = decoded.decode("latin-1")
    name, colon, secret = text.partition(":")
    return (name, secret) if colon else None


def look_up(reader: Reader, credentials: Credentials) -> Claim:
    """
    Return who is calling according to these credentials. Quick: a password is not checked here.

    Raises:
        LoginRefused: There is no such user or device.
    """
    if credentials is None:
        return Claim(ANONYMOUS)
    if isinstance(credentials, Key):
        return Claim(_key_owner(reader, credentials.apikey))
    if isinstance(credentials, Cookie):
        return Claim(_cookie_owner(reader, credentials))
    if isinstance(credentials, Known):
        return Claim(_still_there(reader, credentials.caller))
    user = reader.find_login(credentials.name)
    device = reader.find((user.name, USER_DEVICE)).device if user else None
    if user is None or device is None:
        raise LoginRefused("Login Failed. Check your username or password")
    return Claim(Caller(user, device), credentials.password)


def _key_owner(reader: Reader, apikey: str) -> Caller:
    if not apikey:
        # on the original server, a device without a key has the empty one, with which anybody could log in
        raise LoginRefused("Must have non-empty api key")
    found = reader.find_key(apikey)
    if found is None:
        raise LoginRefused(_NO_DEVICE)
    return Caller(*found)


def _cookie_owner(reader: Reader, cookie: Cookie) -> Caller:
    found = reader.find(cookie.names)
    if found.user is None or found.device is None or not found.device.apikey or not cookie.proves(found.device.apikey):
        raise LoginRefused(_NO_DEVICE)
    return Caller(found.user, found.device)


def _still_there(reader: Reader, caller: Caller) -> Caller:
    if caller == ANONYMOUS:
        return caller
    now = as_of_now(reader, caller)
    if now is None:
        raise LoginRefused(_NO_DEVICE)
    return now


def as_of_now(reader: Reader, caller: Caller) -> Caller | None:
    """Return a caller with its present rights; `None` if its device was deleted."""
    if caller.user is None or caller.device is None:
        return caller
    found = reader.find((caller.user.name, caller.device.name))
    if found.user is None or found.device is None or found.device.id != caller.device.id:
        return None
    return Caller(found.user, found.device)


def confirm(claim: Claim) -> Caller:
    """
    Check the password of a claim, if it has one, and return the caller. Checking a password is slow.

    Raises:
        LoginRefused: The password is wrong.
    """
    if claim.password is not None:
        assert claim.caller.user is not None  # only users have passwords
        if not verify_password(claim.password, claim.caller.user.password):
            raise LoginRefused("Incorrect Password")
    return claim.caller


def new_apikey() -> str:
    """Return a random API key, in the form of the original server's."""
    return str(uuid.uuid4())
