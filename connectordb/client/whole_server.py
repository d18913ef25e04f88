"""The part of `ConnectorDB` that is about the server as a whole: any object by its path, users, counts, what it can do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..protocol import rest
from ..protocol.paths import Path
from .device import Device

if TYPE_CHECKING:
    from .user import User


class WholeServer(Device):
    """A device that is logged in, and the server that it is logged in to."""

    # which of the three classes it returns depends on the text, which no type can express
    def __call__(self, path: str) -> Any:
        """
        Return a user, a device or a stream by its path, without asking the server.

        Args:
            path: ``"user"``, ``"user/device"``, ``"user/device/stream"`` or ``"user/device/stream/downlink"``.

        Raises:
            LocalProtocolError: The path is not valid.
        """
        return self._at(Path.parse(path))

    def users(self) -> list[User]:
        """
        Return the users that the caller may see, with their metadata.

        Calls: ``GET crud/?q=ls``.
        """
        return self._listed(Path(()), self._session.call(rest.list_users()))

    def count_users(self) -> int:
        """Return how many users the whole database has; for administrators."""
        return self._session.call(rest.count("users"))

    def count_devices(self) -> int:
        """Return how many devices the whole database has; for administrators."""
        return self._session.call(rest.count("devices"))

    def count_streams(self) -> int:
        """Return how many streams the whole database has; for administrators."""
        return self._session.call(rest.count("streams"))

    def info(self) -> dict[str, Any]:
        """
        Return the server's ``version``, and the ``transforms`` and ``interpolators`` that it offers.

        The last two are dicts by name. Each entry has at least ``name``, ``description`` and ``documentation``; a transform
        also has ``args``.

        Calls: ``GET meta/version``, ``meta/transforms``, ``meta/interpolators``.
        """
        call = self._session.call
        return {
            "version": call(rest.version()),
            "transforms": call(rest.transforms()),
            "interpolators": call(rest.interpolators()),
        }

    def import_users(self, directory: str | os.PathLike[str], *, passwords: Mapping[str, str] | None = None) -> None:
        """
        Create users with everything that belongs to them from what `User.export` wrote.

        Args:
            directory: The folder that holds a folder for each user.
            passwords: User name → password, as an export holds none. A user without an entry gets its name as the password.

        Raises:
            ValueError: One of the users exists already, the folder is no export, or its version is not supported.
        """
        from .folders import exports  # rarely used, and slow to load

        exports.import_users(self, directory, passwords)
