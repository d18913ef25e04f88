"""A server as a whole: what it holds by path, its users, how much there is, and what it can do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..protocol import rest
from ..protocol.paths import Path
from .device import Device
from .resource import by_name

if TYPE_CHECKING:
    from .user import User


class WholeServer(Device):
    """A device that is logged in, and the server that it is logged in to."""

    # what it returns depends on the text, which no type can say
    def __call__(self, path: str) -> Any:
        """
        Return a user, a device or a stream by its path, without asking the server.

        Args:
            path: ``"user"``, ``"user/device"``, ``"user/device/stream"``, or that and ``"/downlink"``.

        Raises:
            LocalProtocolError: It is no path.
        """
        return self._at(Path.parse(path))

    def users(self) -> list[User]:
        """
        Return the users that the caller may see, with their metadata.

        Calls: ``GET crud/?q=ls``.
        """
        listed = self._session.call(rest.list_users())
        return [cast("User", self._at(path, data)) for path, data in by_name(Path(()), listed)]

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
        Return what the server is: its ``version``, and the ``transforms`` and ``interpolators`` that it runs.

        The last two are dicts by name, with at least ``name``, ``description`` and ``documentation`` in each; a transform
        has its ``args`` too.

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
        Make users, with all that is theirs, from what `User.export` wrote.

        Args:
            directory: The folder that holds a folder for each of them.
            passwords: User name → password; an export holds none. Without it, a user's password is its name.

        Raises:
            ValueError: One of the users is there already, the folder is no export, or its version is another one.
        """
        from .folders import exports  # rarely used, and not free to load

        exports.import_users(self, directory, passwords)
