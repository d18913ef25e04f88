"""Finding the settings of a connection: what `settings` decides, out of this process's environment and this user's profiles."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..terms import Retry, Timeout
from . import environment
from .address import DEFAULT_URL
from .choosing import Chosen, Given, Source, choose
from .credentials import Credentials

#: What is in force where an argument's default only says that none was passed.
_IN_FORCE: Mapping[str, Any] = {"timeout": Timeout.of(None), "retry": Retry.of(None), "verify": True}


def find(
    url: object,
    credentials: Credentials,
    profile: str | None,
    anonymous: bool,
    options: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> Chosen:
    """
    Return what arguments, the environment and a profile come to; files are read only where a profile may matter.

    Args:
        url: As `ConnectorDB`, as are *profile* and *anonymous*.
        credentials: What was passed.
        options: The other arguments that may be found, as they were passed or by default.
        defaults: Their defaults, among others.

    Raises:
        LocalProtocolError: What was passed makes no sense.
        ConfigurationError: What was found makes none.
    """

    def of_profile() -> Source | None:
        from . import profiles

        return profiles.selected(profile, os.environ)

    usual = {name: defaults[name] for name in options}
    passed = {name: value for name, value in options.items() if value != usual[name]}
    return choose(
        Given(url, credentials, profile, anonymous, passed, {**usual, **_IN_FORCE}),
        lambda: environment.server(os.environ),
        of_profile,
        environment.process_wide(os.environ, passed),
    )


def found_server() -> tuple[str, str]:
    """
    Return the server and the key that ``ConnectorDB()`` has; the key is empty for nobody.

    Raises:
        ConfigurationError: What was found makes no sense.
    """
    found = find(DEFAULT_URL, Credentials(), None, False, {}, {})
    return found.servers[0], found.credentials.secret
