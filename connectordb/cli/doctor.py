"""``doctor``: checks, one after the other, everything that may keep a program from its server, and says what to do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import click

from ..client import ConnectorDB
from ..exceptions import AuthenticationError, ConfigurationError, ConnectorDBError, StorageError
from ..logger import check
from ..protocol import http_dates
from ..protocol.constants import NOBODY
from .connection import profile, with_remedy
from .printing import as_json, show

#: Seconds by which two clocks may seem to differ: an answer gives whole seconds, and takes some time itself.
_CLOCKS = 3.0

#: Seconds that each check may take.
_PATIENCE = 10.0


class Finding(NamedTuple):
    """
    The result of one check.

    Attributes:
        what: What was checked.
        ok: Whether it is right; ``None`` if it could not be checked.
        told: What was found, or what to do.
    """

    what: str
    ok: bool | None
    told: str


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@as_json
@profile
def doctor(files: tuple[Path, ...], as_json: bool, profile: str | None) -> None:
    """
    Find out why programs cannot reach their server.

    This checks everything that a program needs, and says what to do about what is wrong: settings, the server's name, the
    connection and its TLS, the clock, the login, your streams, the websocket, and the FILEs of Loggers. Nothing is changed.
    The exit status is 1 if anything is wrong.
    """
    findings = []
    for finding in chain(_connection(profile), _files(files)):
        findings.append(finding)
        if not as_json:
            click.echo(_line(finding))
    if as_json:
        show([finding._asdict() for finding in findings])
    if any(finding.ok is False for finding in findings):
        raise SystemExit(1)


def _line(finding: Finding) -> str:
    mark = {True: "ok", False: "WRONG", None: "-"}[finding.ok]
    return f"{mark:<5}  {finding.what:<11}  {finding.told}"


def _connection(profile: str | None) -> Iterator[Finding]:
    try:
        cdb, nobody = (
            ConnectorDB(profile=profile, connect=False, timeout=_PATIENCE, retry=1, anonymous=anonymous)
            for anonymous in (False, True)
        )
    except ConfigurationError as error:
        yield Finding("settings", False, str(error))
        return
    with cdb, nobody:
        yield from _looks(cdb, nobody)


def _looks(cdb: ConnectorDB, nobody: ConnectorDB) -> Iterator[Finding]:
    looks: dict[str, Callable[[], Finding]] = {
        "settings": lambda: _settings(cdb),
        "name": lambda: _name(cdb),
        "server": lambda: _server(nobody),
        "clock": lambda: _clock(nobody),
        "login": lambda: _login(cdb),
        "streams": lambda: _streams(cdb),
        "websocket": lambda: _websocket(cdb),
    }
    wrong = ""
    for what, look in looks.items():
        if wrong:
            yield Finding(what, None, f"not checked, because the {wrong} is wrong")
            continue
        try:
            finding = look()
        except AuthenticationError as error:
            finding = Finding(what, False, with_remedy(cdb, error))
        except (ConnectorDBError, OSError) as error:
            finding = Finding(what, False, str(error))
        yield finding
        # if one of these is wrong, the others cannot be right
        if finding.ok is False and what in ("name", "server", "login"):
            wrong = what


def _files(files: tuple[Path, ...]) -> Iterator[Finding]:
    for file in files:
        try:
            found = check(file)
        except StorageError as error:
            found = [str(error)]
        yield Finding(file.name, not found, "; ".join(found) or "nothing is wrong with it")


def _settings(cdb: ConnectorDB) -> Finding:
    url, credentials = cdb.settings["url"], cdb.settings["credentials"]
    servers = url.value if isinstance(url.value, str) else ", ".join(url.value)
    return Finding("settings", True, f"{servers} ({url.source}), with {credentials.value} ({credentials.source})")


def _name(cdb: ConnectorDB) -> Finding:
    host = urlsplit(cdb.url).hostname or ""
    if cdb.proxy:
        return Finding("name", None, f"not looked up here: {cdb.proxy} leads to {host}")
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError as error:
        return Finding(
            "name", False, f"{host} was not found ({error.strerror}): is that its name, and is there a network?"
        )
    return Finding("name", True, f"{host} is {', '.join(found)}")


def _server(nobody: ConnectorDB) -> Finding:
    began = time.monotonic()
    answer = nobody.request("GET", "meta/version")
    took = 1000 * (time.monotonic() - began)
    beyond = answer.headers.get("ConnectorDB-Features")
    what = f"version {answer.text.strip()[:20]} {'with ' + beyond if beyond else 'as of 0.3'}, answered after {took:.0f} ms"
    if urlsplit(nobody.url).scheme == "http":
        return Finding("server", True, f"{what}; not encrypted: anybody on the way can read it")
    return Finding(
        "server", True, f"{what}; its certificate is {'good' if nobody.settings['verify'].value else 'not checked'}"
    )


def _clock(nobody: ConnectorDB) -> Finding:
    said = http_dates.seconds(nobody.request("GET", "meta/version").headers.get("Date", ""))
    if said is None:
        return Finding("clock", None, "the server does not say what time it is")
    ahead = time.time() - said - 0.5  # the header has whole seconds
    if abs(ahead) <= _CLOCKS:
        return Finding("clock", True, "the same as the server's, to within a few seconds")
    return Finding(
        "clock",
        False,
        f"{abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's: points get wrong times; "
        "is time synchronisation on (timedatectl)?",
    )


def _login(cdb: ConnectorDB) -> Finding:
    path = cdb.ping()
    if path == NOBODY:
        return Finding(
            "login", False, "there are no credentials: connectordb login, or set CONNECTORDB_URL and CONNECTORDB_APIKEY"
        )
    return Finding("login", True, f"you are {path}")


def _streams(cdb: ConnectorDB) -> Finding:
    streams = cdb.streams()
    return Finding(
        "streams", True, f"{len(streams)} of your own{' to write to' if streams else ': connectordb new makes one'}"
    )


def _websocket(cdb: ConnectorDB) -> Finding:
    streams = cdb.streams()
    if not streams:
        return Finding("websocket", None, "not checked, because you have no stream of your own to subscribe to")
    began = time.monotonic()
    with streams[0].subscribe(lambda path, points: None) as subscription:
        if not subscription.wait("live", _PATIENCE):
            return Finding(
                "websocket", False, f"no subscription within {_PATIENCE:g} s: does a proxy let websockets pass?"
            )
    return Finding("websocket", True, f"a subscription was ready after {1000 * (time.monotonic() - began):.0f} ms")
