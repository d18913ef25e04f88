"""``login``, ``logout`` and ``whoami``: they write, remove and show the profiles that programs on this machine use."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import click

from ..client import DEFAULT_PROFILE, ConnectorDB, Profiles, Settings, Source, base_urls
from ..exceptions import AuthenticationError, ConnectorDBError, LocalProtocolError
from ..protocol.constants import CONNECTORDB_URL
from ..protocol.paths import is_name
from .printing import show

#: Hosts that a password reaches without leaving this machine.
_HERE = ("localhost", "127.0.0.1", "::1")

_profile = click.option(
    "--profile",
    metavar="NAME",
    help=f"The profile; by default that of CONNECTORDB_PROFILE, or {DEFAULT_PROFILE!r}.",
)


@click.command()
@click.argument("user", metavar="[USER]", required=False)
@click.option("--url", metavar="URL", help="The server; by default that of CONNECTORDB_URL, or of the profile.")
@click.option("--device", metavar="NAME", help="Keep the key of this device of the user's; it is created if necessary.")
@click.option(
    "--role",
    metavar="ROLE",
    help="What that device may do besides using its own streams, as a device role of the server: reader, writer, user; by default nothing.",
)
@_profile
@click.option("--ca", metavar="FILE", help="The certificates to trust, for a server with its own authority.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@click.option("--apikey-stdin", is_flag=True, help="Read an API key from standard input, and keep that.")
def login(
    user: str | None,
    url: str | None,
    device: str | None,
    role: str | None,
    profile: str | None,
    ca: str | None,
    password_stdin: bool,
    apikey_stdin: bool,
) -> None:
    """
    Log in to a server, for all programs on this machine.

    The command asks for USER, a name or an email address, and for the password. It never keeps the password, only an API key: that
    of the user's own device, which may do whatever the user may, or with --device that of a device which sees its own streams and,
    without a --role, nothing else. The key goes into a file that only you can read, where ConnectorDB() without arguments finds it.
    """
    if apikey_stdin and (user or device or password_stdin):
        raise click.UsageError("--apikey-stdin goes without USER, --device and --password-stdin")
    if role is not None and device is None:
        raise click.UsageError("--role is that of the --device: give both")
    if device is not None and not is_name(device):
        raise click.UsageError(f"--device {device!r}: expected the name of one of the user's devices")
    profiles, name = Profiles(), _named(profile)
    profiles.check(name)  # before anybody types anything
    known = profiles.read(name)
    servers = _servers(url, known)
    kept: dict[str, str] = {}
    options: dict[str, Any] = {}
    if known is not None and known.knows(servers):
        kept, options = profiles.said(name), {option: value for option, (value, _) in known.options.items()}
    if ca is not None:
        kept["ca"] = options["verify"] = os.path.abspath(ca)
    if apikey_stdin:
        name_or_key, password = _line("API key"), None
    else:
        name_or_key, password = _typed(user, servers, password_stdin)
    with ConnectorDB(name_or_key, password, servers[0] if len(servers) == 1 else servers, **options) as cdb:
        path, key, made = cdb.path, cdb.apikey if password else name_or_key, False
        if device is not None:
            path, key, made = _device(cdb, device, role)
    if not key:
        raise click.ClickException(f"{servers[0]} does not show the API key of {path}, so there is nothing to keep")
    profiles.save(name, {**kept, "url": " ".join(servers), "apikey": key})
    click.echo(f"Logged in to {servers[0]} as {path}{', which was created' * made}.")
    click.echo(f"Its key is in {profiles.file}, profile {name!r}.")
    _say_what_goes_first(name)


@click.command()
@_profile
@click.option("--reset", is_flag=True, help="First have the server invalidate the key, for everybody who has it.")
def logout(profile: str | None, reset: bool) -> None:
    """
    Remove a profile and the key in it.

    The key itself stays valid, unless --reset is given.
    """
    profiles, name = Profiles(), _named(profile)
    known = profiles.read(name)
    if known is None:
        raise click.ClickException(f"there is no profile {name!r}{f' in {profiles.file}' if profiles.file else ''}")
    said = ""
    if known.apikey:
        said = "The key itself is still valid; --reset would have invalidated it."
        if reset:
            said = _reset(name)
    profiles.remove(name)
    click.echo(f"Removed the profile {name!r} from {profiles.file}.")
    if said:
        click.echo(said)


@click.command()
@_profile
@click.option("--all", "every", is_flag=True, help="List all profiles instead, without contacting a server.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: an object; with --all an array of them.")
def whoami(profile: str | None, every: bool, as_json: bool) -> None:
    """
    Show who you are, on which server, and why.

    This is who ConnectorDB() without arguments is, and where each of its settings comes from.
    """
    if every:
        _list(as_json)
        return
    with ConnectorDB(profile=profile, connect=False) as cdb:
        path, settings, failed = None, cdb.settings, None
        try:
            path = cdb.ping()
        except ConnectorDBError as error:
            failed = error
    if as_json:
        found = {setting: {"value": _plain(value), "source": source} for setting, (value, source) in settings.items()}
        show({"path": path, "settings": found})
    else:
        if path is not None:
            click.echo(path)
        click.echo(str(_short(settings)))
    if failed is not None:
        raise failed


# --- who logs in ------------------------------------------------------------------------------------------------------


def _named(profile: str | None) -> str:
    return profile or os.environ.get("CONNECTORDB_PROFILE") or DEFAULT_PROFILE


def _typed(user: str | None, servers: tuple[str, ...], from_stdin: bool) -> tuple[str, str]:
    """Return a name and a password, typed (the password without echo) or from standard input."""
    for server in servers:
        parts = urlsplit(server)
        if parts.scheme == "http" and parts.hostname not in _HERE:
            click.echo(f"Note: {server} is not encrypted: anybody on the way can read the password.", err=True)
    if not user:
        if from_stdin or not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask for the user: give USER")
        user = str(click.prompt(f"User at {servers[0]}", err=True))
    if from_stdin:
        return user, _line("password")
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for the password: give --password-stdin")
    return user, str(click.prompt(f"Password of {user} at {servers[0]}", hide_input=True, err=True))


def _line(what: str) -> str:
    if not (line := sys.stdin.readline().strip("\r\n")):
        raise click.UsageError(f"there is no {what} on standard input")
    return line


def _device(cdb: ConnectorDB, name: str, role: str | None) -> tuple[str, str | None, bool]:
    """Return path and key of one of the user's devices, and whether it was created; if a *role* is given, the device gets it."""
    device = cdb.user[name]
    missing = not device.exists()
    if missing:
        device.create()
    if role is not None:
        device.role = role
    return device.path, device.apikey, missing


def _servers(url: str | None, known: Source | None) -> tuple[str, ...]:
    """Return the servers to log in to: those of *url*, of the environment, of the profile as it was, or the default."""
    if url is not None:
        return base_urls(url.replace(",", " ").split() or url)
    if named := os.environ.get("CONNECTORDB_URL", "").strip():
        try:
            return base_urls(named.replace(",", " ").split())
        except LocalProtocolError as error:
            raise click.ClickException(f"the environment variable CONNECTORDB_URL: {error}") from error
    return known.servers if known is not None else (CONNECTORDB_URL,)


def _reset(name: str) -> str:
    try:
        with ConnectorDB(profile=name) as cdb:
            path = cdb.path
            cdb.reset_apikey()
    except AuthenticationError as error:
        if error.status != 401:
            raise
        return "The server did not know the key any more."
    return f"{path} has a new key: whatever logs in as it needs that."


# --- what is shown ----------------------------------------------------------------------------------------------------


def _say_what_goes_first(name: str) -> None:
    if name != _named(None):
        click.echo(f"Programs use it with ConnectorDB(profile={name!r}), or when run with CONNECTORDB_PROFILE={name}.")
    if found := [variable for variable in ("CONNECTORDB_URL", "CONNECTORDB_APIKEY") if os.environ.get(variable)]:
        click.echo(
            f"Note: {' and '.join(found)} in the environment take{'s' * (len(found) == 1)} precedence over it.",
            err=True,
        )


def _list(as_json: bool) -> None:
    profiles = Profiles()
    found = {name: said for name in profiles.names() if (said := profiles.read(name)) is not None}
    if as_json:
        rows = [
            {"profile": name, "url": said.servers, "apikey": bool(said.apikey), "selected": name == _named(None)}
            for name, said in found.items()
        ]
        show(rows)
        return
    width = max(map(len, found), default=0)
    for name, said in found.items():
        mark, key = "*" if name == _named(None) else " ", "" if said.apikey else "  (no key)"
        click.echo(f"{mark} {name:<{width}}  {' '.join(said.servers)}{key}")
    if not found:
        click.echo(f"There are no profiles{f' in {profiles.file}' if profiles.file else ''}.", err=True)


def _short(settings: Settings) -> Settings:
    """Return the settings that matter most: server, key, and whatever is not a default."""
    return Settings(
        {
            name: setting
            for name, setting in settings.items()
            if name in ("url", "credentials") or setting.source != "default"
        }
    )


def _plain(value: Any) -> Any:
    """Return a setting as a value for JSON."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)
