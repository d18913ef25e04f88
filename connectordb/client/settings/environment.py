"""What the environment says of a server, and of every connection."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from ...exceptions import ConfigurationError
from ...protocol.constants import CONNECTORDB_URL
from .choosing import DEFAULT, Setting, Source, addresses, seconds

T = TypeVar("T")

#: Characters that a file with a key has at the most.
_LONGEST = 4096

#: The servers, with commas or spaces between them, and the key for them; without the former the key is for the default one.
URL, APIKEY = "CONNECTORDB_URL", "CONNECTORDB_APIKEY"

#: A file with the key, as container engines and systemd hand out secrets.
APIKEY_FILE = "CONNECTORDB_APIKEY_FILE"

#: Which profile, and the file that has it.
PROFILE, PROFILE_FILE = "CONNECTORDB_PROFILE", "CONNECTORDB_PROFILE_FILE"


def existing(text: str) -> str:
    """
    Read the path of a file or folder that somebody wrote; a ``~`` is the user's home.

    Raises:
        ValueError: There is none.
    """
    path = os.path.expanduser(text)
    if not os.path.exists(path):
        raise ValueError(f"{text!r}: there is no such file or folder")
    return path


#: Of every connection, whatever its server.
TIMEOUT, CA = "CONNECTORDB_TIMEOUT", "CONNECTORDB_CA"

#: A variable → the argument of `ConnectorDB` that it stands for, and how it is read.
_PROCESS_WIDE: dict[str, tuple[str, Callable[[str], object]]] = {
    TIMEOUT: ("timeout", seconds),
    CA: ("verify", existing),
}


def server(variables: Mapping[str, str]) -> Source:
    """
    Return what the environment says of a server. An empty variable counts as none.

    Raises:
        ConfigurationError: A variable makes no sense; it is named.
    """
    url, (apikey, key_source) = variables.get(URL, "").strip(), _apikey(variables)
    if not url:
        # a key that stands alone is for the server that every program means which names none
        return Source((CONNECTORDB_URL,), apikey, DEFAULT, key_source) if apikey else Source()
    return Source(_read(URL, addresses, url), apikey, URL, key_source)


def process_wide(variables: Mapping[str, str], given: Mapping[str, object]) -> dict[str, Setting]:
    """
    Return what the environment says of every connection, but for what was passed.

    Raises:
        ConfigurationError: A variable that counts makes no sense; it is named.
    """
    return {
        argument: Setting(_read(name, reader, variables[name].strip()), name)
        for name, (argument, reader) in _PROCESS_WIDE.items()
        if argument not in given and variables.get(name, "").strip()
    }


def _apikey(variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the key, and the variable that has it."""
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
