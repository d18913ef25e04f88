"""
Export and import: users, devices and streams to folders and back, over REST.

What the folders hold is said in ``protocol/exports.py``. An export is written beside its target and renamed when it is
complete. An import reads all metadata, and looks for what is there already, before it makes anything.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ...datapoints import DatapointArray
from ...exceptions import LocalProtocolError
from ...protocol import exports
from .export_folder import check_device, check_stream, check_version, folders, known, named
from .saving import Saving, target_of, write_about

if TYPE_CHECKING:
    from ..device import Device
    from ..stream import Stream
    from ..user import User
    from ..whole_server import WholeServer

Where = str | os.PathLike[str]


# --- export -----------------------------------------------------------------------------------------------------------


def export(thing: User | Device | Stream, directory: Where) -> None:
    """
    Write a user into *directory*, next to others that may be there; or a device, or a stream, into this new folder.

    Raises:
        FileExistsError: It is there already; or, for a user, something that is no export.
    """
    target = target_of(thing, Path(directory))
    thing.refresh()
    with _new_folder(target) as folder:
        Saving().write(thing, folder)
    write_about(thing, target)


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yield a folder that becomes *target* at the end, and is gone if there is an error."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # of mode 0700: it holds API keys
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield folder
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


# --- import -----------------------------------------------------------------------------------------------------------


def import_users(cdb: WholeServer, directory: Where, passwords: Mapping[str, str] | None) -> None:
    """
    Make the users of an export.

    Raises:
        ValueError: One is there already, or *directory* is no export of a version that is known.
    """
    root = Path(directory)
    check_version(root, exports.READABLE)
    found = {named(folder, "user")["name"]: folder for folder in folders(root, "user")}
    if not found:
        raise LocalProtocolError(f"{str(root)!r} holds no user")
    for name, folder in found.items():
        if passwords is not None and name not in passwords:
            raise LocalProtocolError(f"passwords= has none for the user {name!r} of the export")
        if not named(folder, "user").get("email"):
            raise LocalProtocolError(f"{str(folder)!r}: the export does not hold the user's email address")
        for device in folders(folder, "device"):
            check_device(device)
        _check_absent(cdb(name))
    if passwords is None:
        warnings.warn(
            f"an export holds no passwords: that of {', '.join(map(repr, found))} is the user's name now; "
            "change it with set_password, or pass passwords=",
            stacklevel=3,
        )
    for name, folder in found.items():
        user: User = cdb(name)
        password = name if passwords is None else passwords[name]
        user.create(**{**known("user", named(folder, "user")), "password": password})
        for device in folders(folder, "device"):
            import_device(user, device)


def import_device(user: User, directory: Where) -> None:
    """
    Make a device of *user* from its export; the device ``user``, which is there, takes over its properties.

    Raises:
        ValueError: It is there already, or *directory* is no export of one.
    """
    folder = Path(directory)
    fields = check_device(folder)
    if fields["name"] == "meta":
        return
    device = user[fields["name"]]
    streams = folders(folder, "stream")
    changes = known("device", fields)
    if not changes.get("apikey"):
        changes.pop("apikey", None)
    if device.name == "user":
        for stream in streams:
            _check_absent(device[named(stream, "stream")["name"]])
        device.refresh()
        changes = {name: value for name, value in changes.items() if device.data.get(name) != value}
    else:
        _check_absent(device)
        # of a private user no public device can be created, but one can be made public
        public = bool(changes.pop("public", False))
        device.create(**changes)
        changes = {"public": True} if public else {}
    if changes:
        device.set(changes)
    for stream in streams:
        import_stream(device, stream)


def import_stream(device: Device, directory: Where) -> None:
    """
    Make a stream of *device* from its export.

    It is created without a schema, so that points which were there before the schema was are kept, and filled by the device
    itself; then its downlink is filled by the caller.

    Raises:
        ValueError: It is there already, or *directory* is no export of one.
    """
    folder = Path(directory)
    told = check_stream(folder)
    fields, stream = known("stream", told), device[told["name"]]
    _check_absent(stream)
    # sorted: some old exports hold points out of order
    points = DatapointArray().loadExport(folder)
    commands = DatapointArray()
    if fields.get("downlink"):
        commands.loadJSON(folder / exports.DOWNLINK)
    with device._logged_in() if points else nullcontext(device) as own:
        stream.create()
        own[stream.name].insert_array(points)
    if fields.get("downlink"):
        stream.set({"downlink": True})
        stream._view_of_downlink().insert_array(commands)
    if fields:
        stream.set(fields)


def _check_absent(thing: User | Device | Stream) -> None:
    if thing.exists():
        raise LocalProtocolError(f"{thing!r} is there already; an import makes new objects only. Delete it first")
