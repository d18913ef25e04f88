"""
Schemas as the server checks them: the protocol's, with regular expressions that cannot run for ever.

A pattern comes from whoever may change a stream. RE2 takes time in proportion to the text and to the pattern, and what would
take too much is not searched; where there is no wheel of it (``docs/howto/small_board.rst``) Python's own expressions are used,
and a pattern can occupy the server.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..protocol.schemas import Schema
from ..protocol.validators import TooManySteps

try:
    import re2
except ImportError:  # 32-bit ARM
    re2 = None

#: Different schemas that are kept compiled: short ones, of so many characters, and long ones, which take megabytes.
_KEPT = 1024
_SHORT = 1024
_KEPT_LONG = 32

#: Patterns that are kept compiled, and bytes that RE2 may take for one of them.
_KEPT_PATTERNS = 256
_PATTERN_BYTES = 1024 * 1024

#: Steps of a pattern times characters of a text that are searched: two seconds for the worst patterns, a blink for the usual.
_MOST_WORK = 500_000_000


@lru_cache(maxsize=_KEPT_PATTERNS)
def _compiled(pattern: str) -> Any:
    if re2 is None:
        return re.compile(pattern)
    options = re2.Options()
    options.max_mem = _PATTERN_BYTES
    options.log_errors = False  # else it writes to standard error
    return re2.compile(pattern, options)


def search(pattern: str, text: str) -> object:
    """
    Find *pattern* in *text*; the result is true if it is there.

    Raises:
        TooManySteps: That could take too long.
    """
    compiled = _compiled(pattern)
    if re2 is not None and compiled.programsize * len(text) > _MOST_WORK:
        raise TooManySteps
    return compiled.search(text)


def server_schema(text: str) -> Schema:
    """
    Return the schema that *text* says; ``""`` allows everything.

    Raises:
        ValueError: It is no JSON, or nobody can go through it.
        jsonschema.SchemaError: It is JSON, but no schema.
    """
    return (_short_schema if len(text) <= _SHORT else _long_schema)(text or "{}")


def _schema(text: str) -> Schema:
    return Schema(text, search)


_short_schema = lru_cache(maxsize=_KEPT)(_schema)
_long_schema = lru_cache(maxsize=_KEPT_LONG)(_schema)
