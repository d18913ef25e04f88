"""
Hashing passwords, and checking them. Slow on purpose: to be run on the threads of ``crew.py``.

A stored hash begins with how it was made::

    scrypt$16384$8$2$<salt>$<hash>      by this server: cost, block size and passes; salt and hash in base64
    bcrypt$<salt>$<hash>                imported from a 0.3 server: bcrypt of the password followed by the salt
    SHA512$<salt>$<hash>                the same from a 0.3 server that was configured to use SHA512

The last two have the salt in base64 and the hash as it came. They are replaced by the first kind at the next login.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import secrets
from functools import lru_cache
from hmac import compare_digest
from typing import Any

log = logging.getLogger(__name__)

#: scrypt's cost, block size and number of passes for new hashes: 16 MiB, and about 65 ms on a desktop of 2020. Every login that is
#: being checked takes that memory, also on a small board, hence two passes rather than twice the memory.
_N, _R, _P = 2**14, 8, 2

#: The most bytes and passes that checking a hash by scrypt may take: an imported one must not exhaust the machine.
_MEMORY_LIMIT = 64 * 1024 * 1024
_MOST_PASSES = 16

#: Bytes of a hash by scrypt.
_SCRYPT_BYTES = 32

#: The highest cost of bcrypt, for the same reason: a 0.3 server uses 10, and each step doubles the time.
_MOST_ROUNDS = 14

#: bcrypt looks only at so many bytes of the password and the salt.
_BCRYPT_BYTES = 72

#: The kinds of hashes, by their names in an export (``docs/topics/wire.rst``, "Export format").
SCRYPT, BCRYPT, SHA512 = "scrypt", "bcrypt", "SHA512"
SCHEMES = (SCRYPT, BCRYPT, SHA512)

_BCRYPT_HASH = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SHA512_HASH = re.compile(r"[0-9a-fA-F]{128}")


def hash_password(password: str) -> str:
    """Return the hash to store for a password. Takes about 65 ms and 16 MiB."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _N, _R, _P)
    return "$".join((SCRYPT, str(_N), str(_R), str(_P), _text(salt), _text(digest)))


def verify_password(password: str, stored: str) -> bool:
    """Tell whether *stored* is a hash of this password. A text that is no hash fits no password."""
    parsed = _parse(stored)
    return parsed is not None and parsed.fits(password)


def fits_none(stored: str) -> bool:
    """Tell whether *stored* is no hash that could fit any password. Quick; never true of a hash made here."""
    return _parse(stored) is None


def is_current(stored: str) -> bool:
    """Tell whether *stored* was made in the way of `hash_password`, and with at least as much work."""
    parsed = _parse(stored)
    return isinstance(parsed, _Scrypt) and parsed.n * parsed.r * parsed.p >= _N * _R * _P


def is_to_be_renewed(password: str, stored: str) -> bool:
    """Tell whether *stored*, a hash of *password*, should be replaced by one that `hash_password` makes."""
    # bcrypt has checked only the beginning of a long password: the rest may be mistyped, but would be required from now on
    whole = not isinstance(_parse(stored), _Bcrypt) or len(_bytes(password)) <= _BCRYPT_BYTES
    return whole and not is_current(stored)


# --- in exports -------------------------------------------------------------------------------------------------------


def from_export(scheme: str, salt: str, hashed: str) -> str:
    """
    Return what to store for a password hash in an export.

    Raises:
        ValueError: *scheme* is none of `SCHEMES`.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"passwords hashed by {scheme!r} are not known, only by {', '.join(SCHEMES)}")
    if scheme == SCRYPT:
        return hashed if hashed.startswith(f"{SCRYPT}$") else ""
    return "$".join((scheme, _text(salt.encode("utf-8", "surrogatepass")), hashed))


def for_export(stored: str) -> tuple[str, str, str]:
    """
    Return scheme, salt and hash in the form of an export.

    A 0.3 server imports a user with a scheme that it does not know, as long as neither salt nor hash is empty. A hash by scrypt is
    exported whole, as the hash, and its salt once more as the salt.
    """
    scheme, _, rest = stored.partition("$")
    if scheme in (BCRYPT, SHA512):
        salt, _, hashed = rest.partition("$")
        return scheme, base64.b64decode(salt).decode("utf-8", "surrogatepass"), hashed
    parts = rest.split("$")
    return SCRYPT, parts[3] if len(parts) == 5 else "-", stored or "-"


# --- the kinds of hashes ----------------------------------------------------------------------------------------------


class _Hash:
    """A stored hash, with which passwords can be compared."""

    def fits(self, password: str) -> bool:
        raise NotImplementedError


class _Scrypt(_Hash):
    def __init__(self, n: str, r: str, p: str, salt: str, digest: str) -> None:
        self.n, self.r, self.p = int(n), int(r), int(p)
        self._salt, self._digest = (base64.b64decode(part, validate=True) for part in (salt, digest))
        memory = 128 * self.n * self.r
        if not (1 < self.n and 0 < self.r and memory <= _MEMORY_LIMIT and self.n & (self.n - 1) == 0):
            raise ValueError("scrypt with a cost that we do not give")
        if not 0 < self.p <= _MOST_PASSES or len(self._digest) != _SCRYPT_BYTES:
            raise ValueError("scrypt with too many passes, or cut off")

    def fits(self, password: str) -> bool:
        return compare_digest(_scrypt(password, self._salt, self.n, self.r, self.p), self._digest)


class _Bcrypt(_Hash):
    def __init__(self, salt: str, hashed: str) -> None:
        self._salt = base64.b64decode(salt, validate=True)
        self._hash = hashed.encode("ascii")
        found = _BCRYPT_HASH.fullmatch(hashed)
        if found is None or not 4 <= int(found[1]) <= _MOST_ROUNDS:
            raise ValueError("no bcrypt hash, or one that takes too long")

    def fits(self, password: str) -> bool:
        bcrypt = _bcrypt()
        if bcrypt is None:
            log.error(
                "a password from a 0.3 server cannot be checked without bcrypt: pip install 'ConnectorDB[server]'"
            )
            return False
        fits: bool = bcrypt.checkpw((_bytes(password) + self._salt)[:_BCRYPT_BYTES], self._hash)
        return fits


class _Sha512(_Hash):
    def __init__(self, salt: str, hashed: str) -> None:
        self._salt = base64.b64decode(salt, validate=True)
        if not _SHA512_HASH.fullmatch(hashed):
            raise ValueError("no SHA512 hash")
        self._digest = bytes.fromhex(hashed)

    def fits(self, password: str) -> bool:
        return compare_digest(hashlib.sha512(_bytes(password) + self._salt).digest(), self._digest)


def _parse(stored: str) -> _Hash | None:
    scheme, _, rest = stored.partition("$")
    try:
        if scheme == SCRYPT:
            return _Scrypt(*_exactly(5, rest.split("$")))
        if scheme == BCRYPT:
            return _Bcrypt(*_exactly(2, rest.split("$", 1)))
        if scheme == SHA512:
            return _Sha512(*_exactly(2, rest.split("$")))
    except ValueError:
        pass  # it is no hash
    return None


def _exactly(number: int, parts: list[str]) -> list[str]:
    if len(parts) != number:
        raise ValueError(f"{len(parts)} parts where {number} were expected")
    return parts


@lru_cache(maxsize=1)
def _bcrypt() -> Any:
    """Return bcrypt, imported when it is first needed, which is only after an import from a 0.3 server."""
    try:
        import bcrypt
    except ImportError:
        return None
    return bcrypt


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(_bytes(password), salt=salt, n=n, r=r, p=p, maxmem=2 * _MEMORY_LIMIT, dklen=_SCRYPT_BYTES)


def _bytes(password: str) -> bytes:
    # "surrogatepass", as JSON can contain lone surrogates, and any text may be a password
    return password.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
