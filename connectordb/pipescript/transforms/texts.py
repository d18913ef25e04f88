"""Texts: searching them, counting and scoring their words, reading links; and the bucket of a number, as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.resources import files
from math import floor, inf, isinf, isnan, nan
from typing import Any
from urllib.parse import unquote_to_bytes

from ...exceptions import PipeScriptError
from ..registry import Argument, Context, MakeStep, Run, Takes, transform
from ..values import SPACE, Single, text_of, to_number, to_text

_BOOLEAN, _STRING = '{"type": "boolean"}', '{"type": "string"}'


@transform(
    "contains",
    "Whether a text is in it",
    Argument("The text", Takes.CONSTANT),
    how="data",
    stateless=True,
    oschema=_BOOLEAN,
)
def contains(context: Context, wanted: Any) -> MakeStep:
    """Whether the data, as a text, contains another one."""
    text = to_text(wanted)
    return lambda run: lambda data: text in to_text(data)


@transform(
    "regex",
    "Whether an expression matches",
    Argument("The expression", Takes.CONSTANT),
    how="data",
    stateless=True,
    oschema=_BOOLEAN,
)
def regex(context: Context, expression: Any) -> MakeStep:
    """Whether a regular expression in RE2's syntax matches somewhere in the data, as a text."""
    matches = _compiled(_whole(to_text(expression)))
    return lambda run: lambda data: bool(matches(_whole(to_text(data))))


_SURROGATE = re.compile("[\ud800-\udfff]")


def _whole(text: str) -> str:
    """Return a text without lone surrogates, which the original server does not have either."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


@lru_cache(maxsize=16)  # an expression may take 8 MB
def _compiled(expression: str) -> Any:
    try:
        import re2
    except ImportError as missing:
        raise PipeScriptError(
            "regex needs the library RE2, which takes no longer for any expression: pip install google-re2"
        ) from missing
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options).search
    except re2.error as error:
        raise PipeScriptError(f"{expression!r} is no regular expression: {error}") from error


_PUNCTUATION = re.compile(r"[.,/#!$%^&*;:{}=\-_`~()]+")


_WORD = re.compile(f"[^{SPACE}]+")


def words(text: str, run: Run) -> Iterator[str]:
    """Yield the words of a text in lower case, one by one, as a list of them might take twenty times the text's memory."""
    run.work(len(text))
    # character by character, as Python may lower a letter depending on those around it, or to two characters
    lower = text.lower() if text.isascii() else "".join([character.lower()[0] for character in text])
    return (match[0] for match in _WORD.finditer(_PUNCTUATION.sub(" ", lower)))


@transform("wc", "How many words it has", how="data", stateless=True, ischema=_STRING, oschema='{"type": "integer"}')
def wc(context: Context) -> MakeStep:
    """The number of words in the data, as a text."""
    return lambda run: lambda data: sum(1 for _ in words(to_text(data), run))


@transform(
    "sentiment", "How friendly the words are", how="data", stateless=True, ischema=_STRING, oschema='{"type": "number"}'
)
def sentiment(context: Context) -> MakeStep:
    """From -1 to 1, by the scores that words have in the AFINN-111 list; 0 without words."""
    scores = _scores()

    def make(run: Run) -> Callable[[Any], Single]:
        def step(data: Any) -> Single:
            found = [scores.get(word, 0) for word in words(to_text(data), run)]
            return Single.of(float(sum(found)) / (5.0 * len(found))) if found else Single(0.0)

        return step

    return make


@lru_cache(maxsize=1)
def _scores() -> dict[str, int]:
    try:
        text = (files("afinn") / "data" / "AFINN-111.txt").read_text(encoding="utf-8")
    except (ModuleNotFoundError, OSError) as missing:
        raise PipeScriptError("sentiment needs the AFINN-111 list: pip install 'ConnectorDB[sentiment]'") from missing
    pairs = (line.split("\t") for line in text.splitlines() if line)
    return {word: int(score) for word, score in pairs}


_SIZE = Argument("How large a bucket is", Takes.CONSTANT, 10.0)
_START = Argument("Where one begins", Takes.CONSTANT, 0.0)


@transform("bucket", "The range that a number falls into", _SIZE, _START, how="data", stateless=True, oschema=_STRING)
def bucket(context: Context, size: Any, start: Any) -> MakeStep:
    """The text ``[A,B)`` of the range of that size that the data, as a number, falls into."""
    width, begin = to_number(size), to_number(start)

    @lru_cache(maxsize=1024)
    def named(n: float) -> str:
        return f"[{text_of(begin + n * width)},{text_of(begin + (n + 1) * width)})"

    def step(data: Any) -> str:
        x = data if type(data) is float else to_number(data)
        return named(_floored(x - begin, width))

    return lambda run: step


def _floored(x: float, width: float) -> float:
    """Return the greatest whole number of widths in *x*, by the rules of 64-bit floats."""
    if width == 0:
        return nan if x == 0 or isnan(x) else (inf if x > 0 else -inf)
    quotient = x / width
    return quotient if isnan(quotient) or isinf(quotient) else float(floor(quotient))


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST_ESCAPE = re.compile(r"%[0-7]", re.ASCII)
_HOST = re.compile(r"[^\s\x00-\x20<>\"\\^`{}|]*")


@transform("domain", "The host of a link", how="data", stateless=True, oschema=_STRING)
def domain(context: Context) -> MakeStep:
    """The host of the link in the data, without ``www.``; empty if the data is no link."""
    return lambda run: lambda data: _host(to_text(data)).removeprefix("www.")


def _host(url: str) -> str:
    url, _, fragment = url.partition("#")
    if _ESCAPE.search(fragment) or any(ord(character) < 0x20 or character == "\x7f" for character in url):
        return ""
    scheme = _SCHEME.match(url)
    rest = url[scheme.end() :] if scheme else url
    if not scheme and url.startswith((":", "///")):
        return ""
    rest = rest.partition("?")[0]
    if not rest.startswith("//"):
        return ""
    authority, slash, path = rest[2:].partition("/")
    if _ESCAPE.search(slash + path):
        return ""
    host = authority.rpartition("@")[2]
    if _ESCAPE.search(host) or _HOST_ESCAPE.search(host) or not _HOST.fullmatch(host):
        return ""
    return unquote_to_bytes(host).decode(errors="replace") if "%" in host else host
