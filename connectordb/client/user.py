"""A user: who owns devices."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from ..protocol import rest
from .fields import Field
from .resource import ConnectorObject, by_name
from .shown import of_listed

if TYPE_CHECKING:
    from ..display import Sheet
    from .device import Device
    from .stream import Stream


class User(ConnectorObject, depth=1):
    """A person or an organisation; what talks to the server is one of its devices."""

    email: Field[str | None] = Field(None, doc="The address; with the password it logs in as well as the name does.")
    public: Field[bool | None] = Field(None, doc="Whether other users see it.")
    role: Field[str | None] = Field(None, doc='What it may do, by default ``"user"`` or ``"admin"``.')

    def create(self, email: str, password: str, role: str = "user", public: bool = True, **properties: Any) -> None:
        """
        Create the user, and what is to be there with it.

        Args:
            email: The address; no other user has it.
            password: The password.
            role: ``"user"`` or ``"admin"``, or what else the server knows.
            public: Whether other users see it.
            properties: Others, such as ``nickname``; ``devices={name: properties}``, each with ``streams`` of its own, and
                ``streams={name: properties}`` for the user's own device.

        Raises:
            LocalProtocolError: A name or a property is none.
            jsonschema.SchemaError: A schema is none; nothing was sent.
            Conflict: There is such a user, or such an address.
            PermissionDenied: The caller is no administrator.

        Calls: ``POST crud/<path>``.
        """
        self._create({"email": email, "password": password, "role": role, "public": public, **properties})

    def set_password(self, new_password: str) -> None:
        """
        Change the password; API keys stay as they are.

        Calls: ``PUT crud/<path>``.
        """
        self.set({"password": new_password})

    def _sheet(self) -> Sheet:
        return of_listed(self, "device", self.devices)

    def devices(self) -> list[Device]:
        """
        Return the devices that the caller may see, with their metadata.

        Calls: ``GET crud/<path>?q=ls``.
        """
        listed = self._session.call(rest.list_devices(self._path))
        return [cast("Device", self._at(path, data)) for path, data in by_name(self._path, listed)]

    def streams(self, public: bool = False, downlink: bool = False, visible: bool = True) -> list[Stream]:
        """
        Return the streams of all its devices, with their metadata.

        Args:
            public: Only those of public devices.
            downlink: Only those that are downlinks.
            visible: Only those of visible devices.

        Calls: ``GET crud/<path>?q=streams``.
        """
        listed = self._session.call(
            rest.list_user_streams(self._path, public=bool(public), downlink=bool(downlink), visible=bool(visible))
        )
        found = []
        for fields in listed:
            device = self._path / fields.pop("device")
            found += [cast("Stream", self._at(path, data)) for path, data in by_name(device, [fields])]
        return found

    def __getitem__(self, device: str) -> Device:
        """Return a device of this user, without asking the server."""
        return cast("Device", self._at(self._path / device))

    def _ipython_key_completions_(self) -> list[str]:
        """Return the devices' names, for IPython; at once, whatever becomes of the server."""
        from . import completion  # by who sits at a prompt

        return completion.below(self._session, self._place)

    def export(self, directory: str | os.PathLike[str]) -> None:
        """
        Write the user with all devices and streams into a folder, next to other users that may be there.

        The folder holds API keys, and so is for its owner only.

        Args:
            directory: The folder; the user gets one below it.

        Raises:
            FileExistsError: The user is in it already.
        """
        from .folders import exports  # rarely used, and not free to load

        exports.export(self, directory)

    def import_device(self, directory: str | os.PathLike[str]) -> None:
        """
        Make a device, with its streams and their points, from what `Device.export` wrote.

        The device ``user`` is there already: its properties become those of the export. The device ``meta`` is passed over.

        Raises:
            ValueError: There is such a device, or the folder is no export of one.
        """
        from .folders import exports  # rarely used, and not free to load

        exports.import_device(self, directory)
