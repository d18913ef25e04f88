"""
Export and import: users, devices and streams to folders and back, over REST.

What the folders hold is said in ``protocol/exports.py``. An export is written beside its target and renamed when it is
complete. An import is a load of what is new: all is looked at before anything is made, and read back afterwards.
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
    Make a device of *user* from its export; the device ``user``, which is there, takes over its properties.

    Raises:
        ValueError: It is there already, or *directory* is no export of one.
    """
    work = Loading(new=True)
    work.look_at_device(user, Path(directory))
    work.run()


def import_stream(device: Device, directory: Where) -> None:
    """
    Make a stream of *device* from its export.

    Raises:
        ValueError: It is there already, or *directory* is no export of one.
    """
    work = Loading(new=True)
    work.look_at_stream(device, Path(directory))
    work.run()
