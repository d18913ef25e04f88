"""
Decides which server, key and options a connection has: from arguments, else the environment, else a profile; pure.

`finding` looks for these and passes them in.

A key belongs to the servers that its own source names. If the address comes from elsewhere, the key is used only if its source
names the same server: see `choose`.
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

#: The sources of settings that are in no variable and in no file.
DEFAULT, ARGUMENT = "default", "argument"


class Setting(NamedTuple):
    """
    A setting in force.

    Attributes:
        value: Its value.
        source: Where it comes from: ``"argument"``, an environment variable, a profile with its file, or ``"default"``.
    """

    value: Any
    source: str


class Settings(Mapping[str, Setting]):
    """
    The settings of a connection by name, each with its source; ``print`` shows a line for each. They contain no password or key.

    ``url`` is the server, or a tuple of several; ``credentials`` describes the credentials in words; the others are named like the
    arguments of `ConnectorDB`.
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
        """Return the number of settings."""
        return len(self._settings)

    def __str__(self) -> str:
        """Return a line for each: name, value, source."""
        rows = [(name, _shown(value), source) for name, (value, source) in self._settings.items()]
        first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
        return "\n".join(f"{name:<{first}}  {value:<{second}}  {source}" for name, value, source in rows)

    def __repr__(self) -> str:
        """Return the settings that are not defaults."""
        made = (f"{name}={_shown(value)}" for name, (value, source) in self._settings.items() if source != DEFAULT)
        return f"<Settings: {', '.join(made) or 'all by default'}>"


class Source(NamedTuple):
    """
    A server and a key that the environment or a profile names.

    Attributes:
        servers: The addresses; empty if it names none.
        apikey: The key for them, or ``""``.
        url_source: Where the address is written.
        key_source: Where the key is written.
        options: Further arguments of `ConnectorDB`, each with its source.
    """

    servers: tuple[str, ...] = ()
    apikey: str = ""
    url_source: str = ""
    key_source: str = ""
    options: Mapping[str, Setting] = MappingProxyType({})

    def knows(self, servers: tuple[str, ...]) -> bool:
        """Tell whether it names all of *servers*, so that its key and options are for them."""
        return {_canonical(server) for server in servers} <= {_canonical(server) for server in self.servers}

    def __repr__(self) -> str:
        """Return what it names, without the key, as values like this end up in tracebacks."""
        return f"<Source: {', '.join(self.servers) or 'no server'}{' and a key' if self.apikey else ''}>"


class Given(NamedTuple):
    """
    What was passed to `ConnectorDB`.

    Attributes:
        url: One server or several; a `NotGiven` if none was passed.
        credentials: The credentials; empty if none were passed.
        profile: The name of a profile, if one was passed.
        anonymous: Whether no key is wanted from anywhere.
        options: The other arguments whose values are not the defaults.
        defaults: The defaults of all other arguments.
    """

    url: object
    credentials: Credentials
    profile: str | None
    anonymous: bool
    options: Mapping[str, Any]
    defaults: Mapping[str, Any]


class Chosen(NamedTuple):
    """
    What was decided.

    Attributes:
        servers: The servers, at least one.
        credentials: Who calls.
        options: The other arguments of `ConnectorDB` that have no default value.
        settings: All of it, for people to read.
    """

    servers: tuple[str, ...]
    credentials: Credentials
    options: dict[str, Any]
    settings: Settings

    def __repr__(self) -> str:
        """Return the description of `Settings`, as the options may contain a proxy's password."""
        return f"<Chosen: {self.settings!r}>"


def choose(
    given: Given,
    environment: Callable[[], Source | None],
    profile: Callable[[], Source | None],
    process_wide: Mapping[str, Setting] = MappingProxyType({}),
) -> Chosen:
    """
    Return the settings that hold.

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
        environment: Returns the server and key of the environment. It is called only if one of them is still to be found.
        profile: Returns the server and key of the profile; likewise.
        process_wide: Arguments of `ConnectorDB` that the environment sets for every server, each with its source.

    Raises:
        LocalProtocolError: Arguments were passed that contradict each other, or an address is not valid.
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
    return _settled(given, servers, url_source, credentials, key_source, {**used.options, **process_wide})


def _check(given: Given) -> None:
    """Refuse arguments that contradict each other."""
    has_credentials = given.credentials != Credentials()
    if given.anonymous and has_credentials:
        raise LocalProtocolError("anonymous=True and credentials: pass one of them")
    if given.profile is not None and (has_credentials or not isinstance(given.url, NotGiven)):
        raise LocalProtocolError(
            f"profile={given.profile!r} names a server and its key: pass no url, user or key beside it"
        )


def _settled(
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
    if "ssl_context" in given.options:  # it replaces both
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
    Read a timeout from text: one number of seconds, or two, for connecting and for an answer.

    Raises:
        ValueError: It is neither.
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
    Read addresses from text, with spaces or commas between them.

    Raises:
        LocalProtocolError: One is not valid, or there is none.
    """
    return base_urls(text.replace(",", " ").split() or "")


def _canonical(server: str) -> str:
    """Return a server's address without the port if it is the usual one of its scheme."""
    usual = {"http": ":80", "https": ":443"}[server.partition(":")[0]]
    parts = urlsplit(server)
    return urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(usual)))


def _shown(value: Any) -> str:
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return value if isinstance(value, str) else repr(value)


def _without_secrets(value: Any) -> Any:
    """Return the value of a setting without the names and passwords that addresses of proxies may contain."""
    if isinstance(value, Mapping):
        return {name: _without_password(part) if isinstance(part, str) else part for name, part in value.items()}
    return value


def _without_password(proxy: str) -> str:
    # up to the last @, as a password that is not properly quoted may contain one, or a slash
    secret, found, host = proxy.rpartition("@")
    scheme, has_scheme, _ = secret.partition("://")
    return f"{scheme + has_scheme if has_scheme else ''}…@{host}" if found else proxy
