"""
Export and import in one go: users, devices and streams to folders and back, over REST.

``protocol/exports.py`` says what the folders contain. An export is written beside its target, and renamed when it is complete. An
import is a load (``loading``) of objects that do not exist yet: everything is checked before anything is created, and read back
afterwards.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .export_folder import folders, named
from .loading import Loading
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
    Write a device or a stream into the new folder *directory*, or a user into a folder in *directory*, which may hold other users.

    Raises:
        FileExistsError: The target exists already; or, for a user, *directory* is no export.
    """
    target = target_of(thing, Path(directory))
    thing.refresh()
    with _new_folder(target) as folder:
        Saving().write(thing, folder)
    write_about(thing, target)


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yield a folder that becomes *target* at the end, or is removed if there is an error."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkdtemp gives it mode 0700, as it will contain API keys
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
    Create the users of an export.

    Raises:
        ValueError: One of them exists already, or *directory* is no export of a supported version.
    """
    root, work = Path(directory), Loading(passwords, new=True)
    work.look_at_users(cdb, root)
    if passwords is None:
        names = [named(folder, "user")["name"] for folder in folders(root, "user")]
        warnings.warn(
            f"an export holds no passwords: that of {', '.join(map(repr, names))} is the user's name now; "
            "change it with set_password, or pass passwords=",
            stacklevel=3,
        )
    work.run()


def import_device(user: User, directory: Where) -> None:
    """
    Create a device of *user* from its export. The device ``user`` exists already, and gets the exported properties.

    Raises:
        ValueError: The device exists already, or *directory* is no export of a device.
    """
    work = Loading(new=True)
    work.look_at_device(user, Path(directory))
    work.run()


def import_stream(device: Device, directory: Where) -> None:
    """
    Create a stream of *device* from its export.

    Raises:
        ValueError: The stream exists already, or *directory* is no export of a stream.
    """
    work = Loading(new=True)
    work.look_at_stream(device, Path(directory))
    work.run()
