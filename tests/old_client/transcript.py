"""
What a run of the old client showed, as text that is the same for every run: per step what was sent and what came of it.

::

    # log in by password
    > GET /api/v1/crud/test/user [test:test]
    < {"result": ["test/user", true, "user"]}
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from .play import Played, alike
from .recorder import Sent

#: Steps in which threads of the client, or the order of files in a folder, decide how often and in which order it asks: of
#: these it is noted what is sent, each once, in alphabetical order.
UNORDERED = frozenset(
    {
        "sync in the background while the server is killed",
        "be connected again after the server was away, and acknowledge",
        "subscribe",
        "subscribe to a downlink and acknowledge",
        "acknowledge with other points, and not at all",
        "unsubscribe",
        "export a user, a device, a stream",
        "import a stream",
        "import a device",
        "import a user",
        "info",
    }
)

#: Steps that a short run does with less, so that they cannot be compared.
LONG = frozenset({"sync more than fits into one request"})

#: Steps in which the client sends back objects or points that the server has told, in the order of their keys, which means
#: nothing.
SENT_BACK = frozenset(
    {
        "import a stream",
        "import a device",
        "import a user",
        "subscribe to a downlink and acknowledge",
        "acknowledge with other points, and not at all",
        "be connected again after the server was away, and acknowledge",
    }
)

#: Characters of a body that are shown; of a longer one its size and its hash besides.
_SHOWN = 300


def transcript(played: Played) -> dict[str, str]:
    """Return what happened, by step."""
    sent: dict[str, list[str]] = {step: [] for step in played.came}
    for message in played.sent:
        # that a server pings, and how often, is its own affair
        if message.line not in ("PING", "PONG", "CLOSE"):
            sent.setdefault(message.step, []).append(_said(message, played.user))
    return {
        step: "".join(_once(step, lines)) + f"< {came}\n"
        for step, (lines, came) in {step: (sent[step], came) for step, came in played.came.items()}.items()
    }


def write(steps: Mapping[str, str]) -> str:
    """Return all steps as one text."""
    return "\n".join(f"# {step}\n{text}" for step, text in steps.items())


def read(text: str) -> dict[str, str]:
    """Return the steps of a text that `write` made; what stands before the first is left out."""
    parts = ("\n" + text).split("\n# ")[1:]
    return {step: said.strip("\n") + "\n" for step, _, said in (part.partition("\n") for part in parts)}


def authorization(sent: Sent) -> str:
    """Return name and password of a request, ``""`` without any."""
    kind, _, value = sent.headers.get("authorization", "").partition(" ")
    return base64.b64decode(value).decode() if kind == "Basic" else ""


def _said(sent: Sent, user: str) -> str:
    lines = [f"> {sent.line}"]
    if not sent.line.isupper():
        lines[0] += f" [{authorization(sent)}] {sent.headers.get('content-type', '')}"
    if sent.body:
        lines.append("  " + _short(alike(_body(sent), user)))
    return alike("\n".join(lines), user).rstrip() + "\n"


def _body(sent: Sent) -> str:
    body = sent.body.decode()
    if sent.step not in SENT_BACK:
        return body
    said = json.loads(body)
    if "cmd" in said:  # the order of a command's own keys is the client's
        return json.dumps({key: _in_order(value) for key, value in said.items()})
    return json.dumps(_in_order(said))


def _in_order(value: object) -> object:
    return json.loads(json.dumps(value, sort_keys=True))


def _short(body: str) -> str:
    if len(body) <= _SHOWN:
        return body
    return f"{body[:100]} … ({body.count(': ') // 2} points, SHA-256 {hashlib.sha256(body.encode()).hexdigest()[:16]})"


def _once(step: str, lines: list[str]) -> list[str]:
    """Leave out what was sent again and again while the client waited for something."""
    if step in UNORDERED:
        return sorted(set(lines))
    return [line for line, before in zip(lines, ["", *lines], strict=False) if line != before]
