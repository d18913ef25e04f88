"""Finds the settings of a connection: hands the process's environment and the user's profiles to ``choosing``, which decides."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..terms import Retry, Timeout
from . import environment
from .address import DEFAULT_URL
from .choosing import Chosen, Given, Source, choose
from .credentials import Credentials

#: The values in force of arguments whose default, ``None``, only says that nothing was passed.
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
    Return the settings that follow from arguments, environment and profile. The file of profiles is read only if it may matter.

    Args:
        url: As for `ConnectorDB`.
        credentials: The credentials that were passed.
        profile: As for `ConnectorDB`.
        anonymous: As for `ConnectorDB`.
        options: The other arguments, whether passed or by default.
        defaults: The default of each of them; others may be there, too.

    Raises:
        LocalProtocolError: An argument is not valid, or contradicts another.
        ConfigurationError: A variable or a profile is not valid.
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
    Return the server and the key that ``ConnectorDB()`` would use; the key is empty if there is none.

    Raises:
        ConfigurationError: A variable or a profile is not valid.
    """
    found = find(DEFAULT_URL, Credentials(), None, False, {}, {})
    return found.servers[0], found.credentials.secret
