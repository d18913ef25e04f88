"""
Schemas as the server checks them: those of the protocol, with regular expressions that cannot run for ever.

Patterns come from anybody who may change a stream. RE2 takes time in proportion to the length of pattern and text, and is not
asked for what would take too long. Where there is no wheel of it (``docs/howto/small_board.rst``), Python's own regular
expressions are used, and a pattern can occupy the server.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..exceptions import LocalProtocolError
from ..protocol.schemas import Schema, is_schema_error
from ..protocol.validators import TooManySteps

#: How many compiled schemas are kept: of short ones, which have at most so many characters, and of long ones, which take megabytes.
_KEPT = 1024
_SHORT = 1024
_KEPT_LONG = 32

#: How many compiled patterns are kept, and how many bytes RE2 may take for one.
_KEPT_PATTERNS = 256
_PATTERN_BYTES = 1024 * 1024

#: The size of a pattern's program times the characters of the text may be at most this: two seconds for the worst patterns, no
#: noticeable time for common ones.
_MOST_WORK = 500_000_000


@lru_cache(maxsize=1)
def _re2() -> Any:
    """Return RE2, imported at the first pattern because it takes megabytes; `None` if it is missing (32-bit ARM)."""
    try:
        import re2
    except ImportError:
        return None
    return re2


@lru_cache(maxsize=_KEPT_PATTERNS)
def _compiled(pattern: str) -> Any:
    re2 = _re2()
    if re2 is None:
        return re.compile(pattern)
    options = re2.Options()
    options.max_mem = _PATTERN_BYTES
    options.log_errors = False  # else it writes to standard error
    return re2.compile(pattern, options)


def search(pattern: str, text: str) -> object:
    """
    Search *text* for *pattern*; the result is true if it was found.

    Raises:
        TooManySteps: The search could take too long.
    """
    compiled = _compiled(pattern)
    if _re2() is not None and compiled.programsize * len(text) > _MOST_WORK:
        raise TooManySteps
    return compiled.search(text)


def server_schema(text: str) -> Schema:
    """
    Return the schema that *text* says; ``""`` allows any value.

    Raises:
        LocalProtocolError: It is no valid schema; the message says why.
    """
    return (_short_schema if len(text) <= _SHORT else _long_schema)(text or "{}")


def _schema(text: str) -> Schema:
    try:
        return Schema(text, search)
    except Exception as error:
        if not is_schema_error(error):
            raise
        raise LocalProtocolError(str(error)) from error


_short_schema = lru_cache(maxsize=_KEPT)(_schema)
_long_schema = lru_cache(maxsize=_KEPT_LONG)(_schema)
