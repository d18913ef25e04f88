"""
Which server, which key and which options a connection has: arguments, then the environment, then a profile; pure.

It is told all of these; `finding` looks for them.

A key is for the servers that its own source names. Where the address comes from somewhere else, the key goes along only if
that source names the same server: see `choose`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from ...exceptions import LocalProtocolError
from ...protocol.constants import CONNECTORDB_URL
from .address import NotGiven, base_urls
from .credentials import Credentials

#: Where a setting comes from that nobody made.
DEFAULT, ARGUMENT = "default", "argument"


class Setting(NamedTuple):
    """
    A setting in force.

    Attributes:
        value: What it is.
        source: Who says so: ``"argument"``, an environment variable, a profile with its file, or ``"default"``.
    """

    value: Any
    source: str


class Settings(Mapping[str, Setting]):
    """
    The settings of a connection by name, each with its source; printed, a line each. No password and no key is in them.

    ``url`` is the server, or a tuple of several; ``credentials`` says in words what there are; the others are the arguments of
    `ConnectorDB`.
    """

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self._settings = dict(settings)

    def __getitem__(self, name: str) -> Setting:
        """Return a setting."""
        return self._settings[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._settings)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._settings)

    def __str__(self) -> str:
        """Return a line for each: name, value, source."""
        rows = [(name, _shown(value), source) for name, (value, source) in self._settings.items()]
        first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
        return "\n".join(f"{name:<{first}}  {value:<{second}}  {source}" for name, value, source in rows)

    def __repr__(self) -> str:
        """Return those that are not defaults."""
        made = (f"{name}={_shown(value)}" for name, (value, source) in self._settings.items() if source != DEFAULT)
        return f"<Settings: {', '.join(made) or 'all by default'}>"


class Source(NamedTuple):
    """
    What the environment, or a profile, says of a server.

    Attributes:
        servers: Its addresses; empty if it names none.
        apikey: The key for them, or ``""``.
        url_source: Where the address stands.
        key_source: Where the key stands.
        options: Further arguments of `ConnectorDB`, each with where it stands.
    """

    servers: tuple[str, ...] = ()
    apikey: str = ""
    url_source: str = ""
    key_source: str = ""
    options: Mapping[str, Setting] = MappingProxyType({})

    def knows(self, servers: tuple[str, ...]) -> bool:
        """Tell whether all of *servers* are among its own, so that what it says is about them."""
        return {_canonical(server) for server in servers} <= {_canonical(server) for server in self.servers}

    def __repr__(self) -> str:
        """Say what it names, without the key: a value like this ends up in tracebacks."""
        return f"<Source: {', '.join(self.servers) or 'no server'}{' and a key' if self.apikey else ''}>"


class Given(NamedTuple):
    """
    What was passed to `ConnectorDB`.

    Attributes:
        url: One server or several; a `NotGiven` if none was passed.
        credentials: Nobody's, if none were passed.
        profile: The name of one, if one was passed.
        anonymous: Whether none are wanted.
        options: The other arguments that were passed, and are no defaults.
        defaults: The defaults of all of them.
    """

    url: object
    credentials: Credentials
    profile: str | None
    anonymous: bool
    options: Mapping[str, Any]
    defaults: Mapping[str, Any]


class Chosen(NamedTuple):
    """
    What a connection is made of.

    Attributes:
        servers: The servers, at least one.
        credentials: Who calls.
        options: Arguments that are not as by default.
        settings: All of it, for people.
    """

    servers: tuple[str, ...]
    credentials: Credentials
    options: dict[str, Any]
    settings: Settings

    def __repr__(self) -> str:
        """Return what `Settings` returns: a proxy's password may be among the options."""
        return f"<Chosen: {self.settings!r}>"


def choose(
    given: Given,
    environment: Callable[[], Source | None],
    profile: Callable[[], Source | None],
    process_wide: Mapping[str, Setting] = MappingProxyType({}),
) -> Chosen:
    """
    Return what is in force.

    ============================  ============================================  ============================================
    passed                        the servers are                               the key is
    ============================  ============================================  ============================================
    name and password, or a key   ``url``, or else the default                  what was passed; nothing else is looked at
    ``url`` alone                 these                                         that of the environment if it names them all,
                                                                                else the profile's if that does, else none
    neither                       the environment's, else the profile's, else   that of the same source, else the profile's if
                                  the default                                   that names them all, else none
    ``profile``                   the profile's                                 the profile's
    ``anonymous``                 as if neither were there                      none
    ============================  ============================================  ============================================

    Args:
        given: What was passed.
        environment: Returns what the environment says of a server.
        profile: Returns what the profile says. Both are called only where server or key are still to be found.
        process_wide: What the environment says of every server: arguments of `ConnectorDB`, each with where it stands.

    Raises:
        LocalProtocolError: What was passed makes no sense.
    """
    _check(given)
    servers: tuple[str, ...] = (CONNECTORDB_URL,)
    url_source = DEFAULT
    if not isinstance(given.url, NotGiven):
        servers, url_source = base_urls(given.url), ARGUMENT
    credentials, key_source = given.credentials, ARGUMENT
    used = Source()
    if credentials == Credentials():
        key_source = ARGUMENT if given.anonymous else DEFAULT
        is_open, wants_key = url_source == DEFAULT, not given.anonymous
        for ask in (environment, profile) if given.profile is None else (profile,):
            if not is_open and not wants_key:
                break
            said = ask()
            if said is None or not said.servers:
                continue
            if is_open:
                servers, url_source, is_open = said.servers, said.url_source, False
            elif not said.knows(servers):
                continue
            used = said
            if wants_key and said.apikey:
                credentials, key_source, wants_key = Credentials(secret=said.apikey), said.key_source, False
    return _told(given, servers, url_source, credentials, key_source, {**used.options, **process_wide})


def _check(given: Given) -> None:
    """Refuse what cannot be meant together."""
    has_credentials = given.credentials != Credentials()
    if given.anonymous and has_credentials:
        raise LocalProtocolError("anonymous=True and credentials: pass one of them")
    if given.profile is not None and (has_credentials or not isinstance(given.url, NotGiven)):
        raise LocalProtocolError(
            f"profile={given.profile!r} names a server and its key: pass no url, user or key beside it"
        )


def _told(
    given: Given,
    servers: tuple[str, ...],
    url_source: str,
    credentials: Credentials,
    key_source: str,
    further: Mapping[str, Setting],
) -> Chosen:
    settings = {
        "url": Setting(servers[0] if len(servers) == 1 else servers, url_source),
        "credentials": Setting(str(credentials), key_source),
    }
    if "ssl_context" in given.options:  # that says all about TLS
        further = {name: setting for name, setting in further.items() if name not in ("verify", "cert")}
    options: dict[str, Any] = {}
    for name, default in given.defaults.items():
        if name in given.options:
            setting = Setting(given.options[name], ARGUMENT)
        else:
            setting = further.get(name, Setting(default, DEFAULT))
        if setting.source != DEFAULT:
            options[name] = setting.value
        settings[name] = Setting(_without_secrets(setting.value), setting.source)
    return Chosen(servers, credentials, options, Settings(settings))


def seconds(text: str) -> float | tuple[float, float]:
    """
    Read a timeout that somebody wrote: a number of seconds, or two, for connecting and for an answer.

    Raises:
        ValueError: It is none.
    """
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2 or not all(0 < number < math.inf for number in numbers):
        raise ValueError(
            f"{text!r} is no timeout; expected seconds, such as '30', or two for connecting and an answer, '5,60'"
        )
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])


def addresses(text: str) -> tuple[str, ...]:
    """
    Read the addresses that somebody wrote, with spaces or commas between them.

    Raises:
        LocalProtocolError: One is none.
    """
    return base_urls(text.replace(",", " ").split() or "")


def _canonical(server: str) -> str:
    """Return a server's address without a port that its scheme says anyway."""
    usual = {"http": ":80", "https": ":443"}[server.partition(":")[0]]
    parts = urlsplit(server)
    return urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(usual)))


def _shown(value: Any) -> str:
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return value if isinstance(value, str) else repr(value)


def _without_secrets(value: Any) -> Any:
    """Return a setting without the name and password that a proxy's address may have, with a scheme or without one."""
    if isinstance(value, Mapping):
        return {name: _without_password(part) if isinstance(part, str) else part for name, part in value.items()}
    return value


def _without_password(proxy: str) -> str:
    # up to the last @, as a password may have one, or a slash, where it should be quoted and is not
    secret, found, host = proxy.rpartition("@")
    scheme, has_scheme, _ = secret.partition("://")
    return f"{scheme + has_scheme if has_scheme else ''}…@{host}" if found else proxy
