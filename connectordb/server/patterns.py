"""
Schemas as the server checks them: the protocol's, with regular expressions that cannot run for ever.

A pattern comes from whoever may change a stream. RE2 takes time in proportion to the text; where there is no wheel of it
(``docs/howto/small_board.rst``) Python's own expressions are used, and a pattern can occupy the server.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..protocol.schemas import Schema

try:
    import re2
except ImportError:  # 32-bit ARM
    re2 = None

#: Different schemas and patterns that are kept compiled.
_KEPT = 1024


@lru_cache(maxsize=_KEPT)
def _compiled(pattern: str) -> Any:
    if re2 is None:
        return re.compile(pattern)
    options = re2.Options()
    options.log_errors = False  # else it writes to standard error
    return re2.compile(pattern, options)


def search(pattern: str, text: str) -> object:
    """Find *pattern* in *text*; the result is true if it is there."""
    return _compiled(pattern).search(text)


@lru_cache(maxsize=_KEPT)
def server_schema(text: str) -> Schema:
    """
    Return the schema that *text* says; ``""`` allows everything.

    Raises:
        ValueError: It is no JSON, or nobody can go through it.
        jsonschema.SchemaError: It is JSON, but no schema.
    """
    return Schema(text or "{}", search)
