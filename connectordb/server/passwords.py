"""
What is stored of a password, and whether a password is it. Slow on purpose: run on the threads of ``hashers.py``.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from hmac import compare_digest

#: scrypt's cost, block size and parallelism for new hashes: 16 MiB and about 65 ms on a desktop of 2020. The memory is
#: taken for each login that runs, also on a small board, hence two passes rather than twice as much of it.
_N, _R, _P = 2**14, 8, 2

#: Bytes that verifying a hash may take: one from elsewhere must not exhaust the machine. And its number of passes.
_MEMORY_LIMIT = 64 * 1024 * 1024
_MOST_PASSES = 16

_KIND = "scrypt"


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
