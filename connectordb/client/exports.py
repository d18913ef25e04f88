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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..datapoints import DatapointArray
from ..exceptions import LocalProtocolError
from ..protocol import exports, json_text
from ..protocol.paths import check_name
from ..protocol.points import Datapoint
from .properties import KNOWN

if TYPE_CHECKING:
    from .device import Device
    from .stream import Stream
    from .user import User
    from .whole_server import WholeServer

Where = str | os.PathLike[str]


# --- export -----------------------------------------------------------------------------------------------------------


def export_user(user: User, directory: Where) -> None:
    """
    Write a user into *directory*, next to others that may be there.

    Raises:
        FileExistsError: The user is in it already, or something else that is no export.
    """
    root = Path(directory)
    about = root / exports.ABOUT
    if about.exists():
        _check_version(root, (exports.VERSION,))
    elif root.exists() and any(root.iterdir()):
        raise FileExistsError(f"{str(root)!r} is there already, and is no export; name a new folder")
    user.refresh()
    with _new_folder(root / user.name) as folder:
        _write(folder / exports.OBJECT["user"], user.data)
        for device in user.devices():
            below = folder / device.name
            below.mkdir(mode=0o700)
            _write_device(device, below)
    _write(about, exports.about())


def export_device(device: Device, directory: Where) -> None:
    """
    Write a device with its streams into the new folder *directory*.

    Raises:
        FileExistsError: It is there already.
    """
    device.refresh()
    with _new_folder(Path(directory)) as folder:
        _write_device(device, folder)


def export_stream(stream: Stream, directory: Where) -> None:
    """
    Write a stream into the new folder *directory*.

    Raises:
        FileExistsError: It is there already.
    """
    stream.refresh()
    with _new_folder(Path(directory)) as folder:
        _write_stream(stream, folder)


def _write_device(device: Device, folder: Path) -> None:
    _write(folder / exports.OBJECT["device"], device.data)
    for stream in device.streams():
        below = folder / stream.name
        below.mkdir(mode=0o700)
        _write_stream(stream, below)


def _write_stream(stream: Stream, folder: Path) -> None:
    _write(folder / exports.OBJECT["stream"], stream.data)
    _write_points(folder / exports.DATA, stream.points())
    if stream.downlink:
        _write_points(folder / exports.DOWNLINK, stream.points(downlink=True))


def _write(file: Path, content: Any) -> None:
    file.write_bytes(json_text.dumps(content))


def _write_points(file: Path, points: Iterable[Datapoint]) -> None:
    """Write points one by one: a stream may be larger than memory."""
    with file.open("wb") as out:
        before = b"["
        for point in points:
            # nulls are left out, as on the wire
            shown = {name: value for name, value in point.items() if not (name == "d" and value is None)}
            out.write(before + json_text.dumps(shown))
            before = b",\n"
        out.write(b"[]" if before == b"[" else b"]")


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yield a folder that becomes *target* at the end, and is gone if there is an error."""
    if target.exists():
        raise FileExistsError(f"{str(target)!r} is there already; an export makes a new folder")
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
    _check_version(root, exports.READABLE)
    folders = {_named(folder, "user")["name"]: folder for folder in _folders(root, "user")}
    if not folders:
        raise LocalProtocolError(f"{str(root)!r} holds no user")
    for name, folder in folders.items():
        if passwords is not None and name not in passwords:
            raise LocalProtocolError(f"passwords= has none for the user {name!r} of the export")
        if not _named(folder, "user").get("email"):
            raise LocalProtocolError(f"{str(folder)!r}: the export does not hold the user's email address")
        for device in _folders(folder, "device"):
            _check_device(device)
        _check_absent(cdb(name))
    if passwords is None:
        warnings.warn(
            f"an export holds no passwords: that of {', '.join(map(repr, folders))} is the user's name now; "
            "change it with set_password, or pass passwords=",
            stacklevel=3,
        )
    for name, folder in folders.items():
        user: User = cdb(name)
        password = name if passwords is None else passwords[name]
        user.create(**{**_known("user", _named(folder, "user")), "password": password})
        for device in _folders(folder, "device"):
            import_device(user, device)


def import_device(user: User, directory: Where) -> None:
    """
    Make a device of *user* from its export; the device ``user``, which is there, takes over its properties.

    Raises:
        ValueError: It is there already, or *directory* is no export of one.
    """
    folder = Path(directory)
    fields = _check_device(folder)
    if fields["name"] == "meta":
        return
    device = user[fields["name"]]
    streams = _folders(folder, "stream")
    changes = _known("device", fields)
    if not changes.get("apikey"):
        changes.pop("apikey", None)
    if device.name == "user":
        for stream in streams:
            _check_absent(device[_named(stream, "stream")["name"]])
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
    told = _check_stream(folder)
    fields, stream = _known("stream", told), device[told["name"]]
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


def _check_device(folder: Path) -> dict[str, Any]:
    fields = _named(folder, "device")
    for stream in _folders(folder, "stream"):
        _check_stream(stream)
    return fields


def _check_stream(folder: Path) -> dict[str, Any]:
    fields = _named(folder, "stream")
    for name in (exports.DATA, *([exports.DOWNLINK] if fields.get("downlink") else [])):
        if not (folder / name).is_file():
            raise LocalProtocolError(f"{str(folder)!r} is no complete export of a stream: it has no {name}")
    return fields


def _check_absent(thing: User | Device | Stream) -> None:
    if thing.exists():
        raise LocalProtocolError(f"{thing!r} is there already; an import makes new objects only. Delete it first")


def _check_version(root: Path, readable: tuple[int, ...]) -> None:
    about = _read(root / exports.ABOUT)
    version = about.get("Version")
    if isinstance(version, bool) or version not in readable:
        raise LocalProtocolError(
            f"{str(root)!r} is an export of version {version!r}; expected {' or '.join(map(str, readable))}"
        )


def _folders(root: Path, kind: str) -> list[Path]:
    """Return the folders in *root* that hold a user, a device or a stream, in order of name."""
    return sorted(folder for folder in root.iterdir() if (folder / exports.OBJECT[kind]).is_file())


def _named(folder: Path, kind: str) -> dict[str, Any]:
    fields = _read(folder / exports.OBJECT[kind])
    check_name(fields.get("name"))
    return fields


def _known(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in KNOWN[kind] if name in fields}


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json_text.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise LocalProtocolError(f"{str(file.parent)!r} is no export: {file.name} cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise LocalProtocolError(f"{str(file.parent)!r} is no export: {file.name} holds no object")
    return cast("dict[str, Any]", content)
