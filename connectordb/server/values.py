"""
Which texts and schemas users, devices and streams may have, wherever these come from: a request, a permission file, an export.

The messages are those of the wire (``docs/topics/wire.rst``, "Errors"), as clients have nothing else to tell causes apart by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..protocol.constants import DESCRIPTION_LIMIT, ICON_LIMIT, NAMED_ICON_LIMIT
from .config import Limits
from .patterns import server_schema
from .refusal import Refusal

#: Texts that are read with every request or listing, and have to be short for that. A 0.3 server has no such limit.
_SHORT_TEXTS = frozenset("nickname email apikey datatype".split())
#: The limits that hold unless configured otherwise.
DEFAULT_LIMITS = Limits()

_DATA_ICON = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/]+={0,2}")
#: Text in quotes, or whitespace outside of quotes.
_TEXT_OR_BLANK = re.compile(r'(?P<kept>"(?:[^"\\]|\\.)*")|[ \t\r\n]+')
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9_-]")


def compact_schema(text: str, refusal: str | None = None, limits: Limits = DEFAULT_LIMITS) -> str:
    """Return a stream's schema as it is stored; refuse an invalid one, with the text *refusal* or else with the reason."""
    if len(text) > limits.schema_bytes:
        shown = f"it has {len(text)} characters, {limits.schema_bytes} are possible"
        raise Refusal(403, refusal or f"The provided schema is not a valid JSONSchema: {shown}")
    try:
        return _TEXT_OR_BLANK.sub(_kept, text) if server_schema(text).text != "{}" else "{}"
    except ValueError as error:
        raise Refusal(403, refusal or f"The provided schema is not a valid JSONSchema: {str(error)[:500]}") from error


def _kept(match: re.Match[str]) -> str:
    """Return the text in quotes, or nothing for whitespace: all else stays as written, above all numbers."""
    return match["kept"] or ""


def check_texts(fields: Mapping[str, Any], limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse texts that are too long, and an icon that is not valid."""
    check_lengths(fields, limits)
    check_icon(fields.get("icon", ""))


def check_lengths(fields: Mapping[str, Any], limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse texts that are too long."""
    for name, value in fields.items():
        if name in _SHORT_TEXTS and len(value) > limits.text_characters:
            raise Refusal(403, f"value too long: '{name}' has {limits.text_characters} characters at most")
    if len(fields.get("description", "")) > DESCRIPTION_LIMIT:
        raise Refusal(403, f"value too long: a description has {DESCRIPTION_LIMIT} characters at most")
    if len(fields.get("icon", "")) > ICON_LIMIT:
        raise Refusal(403, f"value too long: an icon has {ICON_LIMIT} characters at most")


def check_icon(icon: str) -> None:
    """Refuse an icon that is neither a named one, nor base64, nor a picture as a ``data:`` URI."""
    if icon.startswith(("material:", "fa:")):
        if len(icon.encode()) > NAMED_ICON_LIMIT:
            raise Refusal(403, f"icon name can't be more than {NAMED_ICON_LIMIT} characters.")
    elif not _DATA_ICON.fullmatch(icon):
        # The original refuses what client documentation recommends, a data: URI, except when a stream is updated.
        icon = icon.replace("\r", "").replace("\n", "")
        content = icon[:-2] if icon.endswith("==") else icon.removesuffix("=")
        wrong = _NOT_BASE64.search(content)
        if wrong or len(icon) % 4 or len(content) % 4 == 1:
            # if the last group is too short, the byte to report is where it begins
            short = len(icon) // 4 * 4 if icon == content else len(content)
            raise Refusal(403, f"illegal base64 data at input byte {wrong.start() if wrong else short}")
