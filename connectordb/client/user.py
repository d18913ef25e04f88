"""`User`: a person or an organisation, who owns devices."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from ..protocol import rest
from .fields import Field
from .resource import ConnectorObject
from .shown import of_listed

if TYPE_CHECKING:
    from ..display import Sheet
    from .device import Device
    from .stream import Stream


class User(ConnectorObject, depth=1):
    """A person or an organisation. Only its devices talk to the server; a password logs in its device ``user``."""

    email: Field[str | None] = Field(None, doc="The email address; one may log in with it instead of the name.")
    public: Field[bool | None] = Field(None, doc="Whether other users see it.")
    role: Field[str | None] = Field(
        None, doc='What it may do: ``"user"`` or ``"admin"``, unless the server has other roles.'
    )

    def create(self, email: str, password: str, role: str = "user", public: bool = True, **properties: Any) -> None:
        """
        Create the user, with devices and streams if you like.

        Args:
            email: The email address; no other user may have it.
            password: The password.
            role: ``"user"`` or ``"admin"``, or another role that the server knows.
            public: Whether other users see it.
            properties: Further properties, such as ``nickname``; ``devices={name: properties}``, each of which may have
                ``streams``; and ``streams={name: properties}`` for the user's own device.

        Raises:
            LocalProtocolError: A name is not valid, or there is no such property.
            jsonschema.SchemaError: A schema is not valid; nothing was sent.
            Conflict: The user exists already, or another one has that address.
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
        return self._listed(self._path, self._session.call(rest.list_devices(self._path)))

    def streams(self, public: bool = False, downlink: bool = False, visible: bool = True) -> list[Stream]:
        """
        Return the streams of all its devices, with their metadata.

        Args:
            public: Only streams of public devices.
            downlink: Only streams that are downlinks.
            visible: Only streams of visible devices.

        Calls: ``GET crud/<path>?q=streams``.
        """
        listed = self._session.call(
            rest.list_user_streams(self._path, public=bool(public), downlink=bool(downlink), visible=bool(visible))
        )
        found: list[Stream] = []
        for fields in listed:
            found += self._listed(self._path / fields.pop("device"), [fields])
        return found

    def __getitem__(self, device: str) -> Device:
        """Return a device of this user, without asking the server."""
        return cast("Device", self._at(self._path / device))

    def _ipython_key_completions_(self) -> list[str]:
        """Return the devices' names for completion in IPython; quickly, even if the server does not answer."""
        from . import completion  # only needed at a prompt

        return completion.below(self._session, self._place)

    def export(self, directory: str | os.PathLike[str]) -> None:
        """
        Write the user with all devices and streams into a folder, which may already hold other users.

        The folder contains API keys, so only its owner may read it.

        Args:
            directory: The folder; the user gets a folder of its own in it.

        Raises:
            FileExistsError: The user is in the folder already.
        """
        from .folders import exports  # rarely used, and slow to load

        exports.export(self, directory)

    def import_device(self, directory: str | os.PathLike[str]) -> None:
        """
        Create a device with its streams and their points from what `Device.export` wrote.

        Every user has a device ``user`` from the start: it gets the exported properties. The device ``meta`` is left out.

        Raises:
            ValueError: The device exists already, or the folder is no export of a device.
        """
        from .folders import exports  # rarely used, and slow to load

        exports.import_device(self, directory)
