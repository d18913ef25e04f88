"""Reads the environment variables that set a connection's server, key and options."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from ...exceptions import ConfigurationError
from ...protocol.constants import CONNECTORDB_URL
from .choosing import DEFAULT, Setting, Source, addresses, seconds

T = TypeVar("T")

#: The most characters that a file with a key may have.
_LONGEST = 4096

#: The servers, with commas or spaces between them, and the key for them; a key without servers is for the default server.
URL, APIKEY = "CONNECTORDB_URL", "CONNECTORDB_APIKEY"

#: A file with the key, which is how container engines and systemd pass secrets.
APIKEY_FILE = "CONNECTORDB_APIKEY_FILE"

#: The name of a profile, and the file of profiles.
PROFILE, PROFILE_FILE = "CONNECTORDB_PROFILE", "CONNECTORDB_PROFILE_FILE"


def existing(text: str) -> str:
    """
    Return the path of a file or folder, with ``~`` as the user's home.

    Raises:
        ValueError: It does not exist.
    """
    path = os.path.expanduser(text)
    if not os.path.exists(path):
        raise ValueError(f"{text!r}: there is no such file or folder")
    return path


#: Options for all connections, whatever their server.
TIMEOUT, CA = "CONNECTORDB_TIMEOUT", "CONNECTORDB_CA"

#: Variable → the argument of `ConnectorDB` that it sets, and the function that reads it.
_PROCESS_WIDE: dict[str, tuple[str, Callable[[str], object]]] = {
    TIMEOUT: ("timeout", seconds),
    CA: ("verify", existing),
}


def server(variables: Mapping[str, str]) -> Source:
    """
    Return the server and key that the environment names. An empty variable counts as not set.

    Raises:
        ConfigurationError: A variable is not valid; the message names it.
    """
    url, (apikey, key_source) = variables.get(URL, "").strip(), _apikey(variables)
    if not url:
        # a key alone is for the server that a connection has by default
        return Source((CONNECTORDB_URL,), apikey, DEFAULT, key_source) if apikey else Source()
    return Source(_read(URL, addresses, url), apikey, URL, key_source)


def process_wide(variables: Mapping[str, str], given: Mapping[str, object]) -> dict[str, Setting]:
    """
    Return the options that the environment sets for all connections, without those that were passed as arguments (*given*).

    Raises:
        ConfigurationError: One of these variables is not valid; the message names it.
    """
    return {
        argument: Setting(_read(name, reader, variables[name].strip()), name)
        for name, (argument, reader) in _PROCESS_WIDE.items()
        if argument not in given and variables.get(name, "").strip()
    }


def _apikey(variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the key and the name of its variable."""
    apikey, file = variables.get(APIKEY, "").strip(), variables.get(APIKEY_FILE, "").strip()
    if not file:
        return apikey, APIKEY
    if apikey:
        raise ConfigurationError(f"the environment variables {APIKEY} and {APIKEY_FILE} are both set: set one of them")
    try:
        with open(file, encoding="utf-8") as opened:
            apikey = opened.read(_LONGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"the environment variable {APIKEY_FILE}: {file!r} cannot be read: {reason}") from None
    if len(apikey.split()) != 1:
        raise ConfigurationError(
            f"the environment variable {APIKEY_FILE}: {file!r} holds no key, or more than one line"
        )
    return apikey, APIKEY_FILE


def _read(name: str, reader: Callable[[str], T], text: str) -> T:
    try:
        return reader(text)
    except ValueError as error:  # a LocalProtocolError is one
        raise ConfigurationError(f"the environment variable {name}: {error}") from error
