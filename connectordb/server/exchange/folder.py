"""
Reading the tree of an export, and checking it, before anything of it is used.

Nothing in it is trusted. Names come from the contents of files, and are never used as paths; symbolic links and everything that is
no plain file are refused; and there is a limit on the size of each file. Everything that is wrong is collected and reported
together.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ...exceptions import LocalProtocolError
from ...protocol import exports, json_text
from ...protocol.constants import RESERVED_USER_NAMES
from ...protocol.paths import is_name
from ..rights.passwords import from_export
from ..rights.permissions import FIELDS, Kind

#: The most bytes of a file that describes a user, a device or a stream.
OBJECT_LIMIT = 256 * 1024

#: The most findings that are reported: a folder that is no export at all has thousands.
_MOST_TOLD = 20

#: The values of fields that are missing, as in an export by a client that was not allowed to read them.
_DEFAULTS: dict[str, Any] = {
    **{name: "" for names in FIELDS.values() for name in names},
    **dict.fromkeys(("public", "ephemeral", "downlink"), False),
    **dict.fromkeys(("enabled", "visible", "user_editable"), True),
    "schema": "{}",
}
_USER_DEFAULTS = {"role": "user", "public": True}


@dataclass(slots=True)
class Findings:
    """Collects what is wrong."""

    told: list[str] = field(default_factory=list)

    def add(self, where: object, what: str) -> None:
        """Add a finding."""
        self.told.append(f"{where}: {what}")

    def refuse(self, doing: str) -> None:
        """
        Raise an error if there are any findings.

        Raises:
            LocalProtocolError: There are.
        """
        if self.told:
            more = len(self.told) - _MOST_TOLD
            lines = [*self.told[:_MOST_TOLD], *([f"… and {more} more"] if more > 0 else [])]
            raise LocalProtocolError(f"{doing}: nothing was changed, as\n" + "\n".join(f"  {line}" for line in lines))


@dataclass(slots=True)
class FoundStream:
    """A stream in an export: its columns, and the files with its points."""

    path: str
    fields: dict[str, Any]
    data: Path
    downlink: Path | None

    def series(self) -> Iterator[tuple[bool, Path]]:
        """Yield its series: whether it is the downlink, and the file."""
        yield False, self.data
        if self.downlink is not None:
            yield True, self.downlink


@dataclass(slots=True)
class FoundDevice:
    """A device in an export: its columns, and its streams."""

    path: str
    fields: dict[str, Any]
    streams: list[FoundStream] = field(default_factory=list)


@dataclass(slots=True)
class FoundUser:
    """
    A user in an export.

    Attributes:
        name: The user's name.
        fields: The user's columns, except for the password.
        password: The password hash to store; `None` in version 1.
        devices: The user's devices.
    """

    name: str
    fields: dict[str, Any]
    password: str | None
    devices: list[FoundDevice] = field(default_factory=list)


def read_folder(
    directory: str | os.PathLike[str], findings: Findings, only: Collection[str] = frozenset()
) -> list[FoundUser]:
    """
    Return the users in an export, in order of their folders.

    Args:
        directory: The export.
        findings: Collects what is wrong with it.
        only: The names of the users to return, and about whom to report findings; without any, all.
    """
    root = Path(directory)
    version = _version(root, findings)
    if version is None:
        return []
    found = []
    for folder in _below(root, findings):
        own = Findings()
        user = _user(folder, version, own)
        if user is None or not only or user.name in only:
            findings.told += own.told
            found += [user] if user is not None else []
    if only:
        for name in sorted({*only} - {user.name for user in found}):
            findings.add(name, "there is no such user in the export")
    elif not found:
        findings.add(root, "there is no user in it")
    _check_unique(found, findings)
    return found


def _version(root: Path, findings: Findings) -> int | None:
    if not root.is_dir():
        findings.add(root, "it is a file, not a folder" if root.is_file() else "there is no such folder")
    elif not os.path.lexists(root / exports.ABOUT):
        findings.add(
            root, f"there is no {exports.ABOUT} in it: this is no export of a server, or one that was not completed"
        )
    elif (about := _read(root / exports.ABOUT, findings)) is not None:
        version = about.get("Version")
        if type(version) is int and version in exports.READABLE:
            return version
        findings.add(root, f"an export of version {version!r}; expected {' or '.join(map(str, exports.READABLE))}")
    return None


def _user(folder: Path, version: int, findings: Findings) -> FoundUser | None:
    read = _object(folder, "user", findings)
    if read is None:
        return None
    name = read["name"]
    if name in RESERVED_USER_NAMES:
        findings.add(folder, f"{name!r} is a reserved name, which no user can have")
    if not read["email"]:
        findings.add(folder, "it does not tell the user's email address, which every user has")
    password = None
    if version == exports.SERVERS_VERSION:
        password = _password(folder, read, findings)
    fields = {key: value for key, value in read.items() if key in FIELDS["user"] and key != "password"}
    user = FoundUser(name, fields, password)
    user.devices = [
        device for below in _below(folder, findings) if (device := _device(below, name, findings)) is not None
    ]
    return user


def _password(folder: Path, read: dict[str, Any], findings: Findings) -> str | None:
    hashed, salt, scheme = (read.get(key) for key in exports.PASSWORD)
    if not (isinstance(hashed, str) and isinstance(salt, str) and isinstance(scheme, str)):
        findings.add(folder, f"the user's {', '.join(exports.PASSWORD)} are not all texts")
        return None
    try:
        return from_export(scheme, salt, hashed)
    except ValueError as error:
        findings.add(folder, str(error))
        return None


def _device(folder: Path, user: str, findings: Findings) -> FoundDevice | None:
    fields = _object(folder, "device", findings)
    if fields is None:
        return None
    device = FoundDevice(f"{user}/{fields['name']}", fields)
    device.streams = [
        stream for below in _below(folder, findings) if (stream := _stream(below, device.path, findings)) is not None
    ]
    return device


def _stream(folder: Path, device: str, findings: Findings) -> FoundStream | None:
    fields = _object(folder, "stream", findings)
    if fields is None:
        return None
    downlink = folder / exports.DOWNLINK if fields["downlink"] else None
    for file in (folder / exports.DATA, downlink):
        if file is not None and not os.path.lexists(file):
            findings.add(folder, f"it has no {file.name}: this is no complete export")
    return FoundStream(f"{device}/{fields['name']}", fields, folder / exports.DATA, downlink)


def _below(folder: Path, findings: Findings) -> list[Path]:
    """Return the folders inside a folder, in order of name."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue  # such as those that file managers leave behind
                if entry.is_symlink():
                    findings.add(entry.path, "a symbolic link, which is not followed")
                elif entry.is_dir(follow_symlinks=False):
                    found.append(folder / entry.name)
    except OSError as error:
        findings.add(folder, f"cannot be read: {error.strerror}")
    return sorted(found)


def _object(folder: Path, kind: Kind, findings: Findings) -> dict[str, Any] | None:
    """Return the columns in the file of a user, a device or a stream: each of the right type, and missing ones filled in."""
    path = folder / exports.OBJECT[kind]
    if not os.path.lexists(path):
        findings.add(
            folder, f"there is no {path.name} in it: this is no complete export, or the folder does not belong to it"
        )
        return None
    read = _read(path, findings)
    if read is None:
        return None
    own = read.get("name")
    if not (isinstance(own, str) and is_name(own)):
        findings.add(path, f"{own!r:.60} is no name")
        return None
    defaults = {name: _DEFAULTS[name] for name in FIELDS[kind] if name != "password"}
    fields = {**defaults, **(_USER_DEFAULTS if kind == "user" else {})}
    for name, default in defaults.items():
        value = read.get(name)
        if type(value) is type(default):
            fields[name] = value
        elif value is not None:
            expected = "true or false" if isinstance(default, bool) else "text"
            findings.add(path, f"{name!r} is {value!r:.60}; expected {expected}")
    return {**fields, **({name: read.get(name) for name in exports.PASSWORD} if kind == "user" else {})}


def _read(path: Path, findings: Findings) -> dict[str, Any] | None:
    try:
        with open_plain(path) as file:
            text = file.read(OBJECT_LIMIT + 1)
        if len(text) > OBJECT_LIMIT:
            raise ValueError(f"it has more than {OBJECT_LIMIT} bytes")
        content = json_text.loads(text)
        if not isinstance(content, dict):
            raise ValueError("it holds no JSON object")
        json_text.checked(content)
    except OSError as error:
        findings.add(path, f"cannot be read: {error.strerror or error}")
    except ValueError as error:
        findings.add(path, str(error))
    else:
        return content
    return None


def open_plain(path: Path) -> BinaryIO:
    """
    Open a file to read its bytes; refuse symbolic links, devices and pipes.

    Raises:
        OSError: It is one of these, or cannot be read.
    """
    if path.is_symlink():
        raise OSError(0, "a symbolic link, which is not followed")
    # O_NONBLOCK, as opening a pipe that nobody writes to would wait for ever
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no plain file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check_unique(users: list[FoundUser], findings: Findings) -> None:
    """Report what is in the export more than once."""
    paths = Counter(
        path
        for user in users
        for path in (
            user.name,
            *(device.path for device in user.devices),
            *(stream.path for device in user.devices for stream in device.streams),
        )
    )
    for path, number in paths.items():
        if number > 1:
            findings.add(path, f"it is in the export {number} times")
    seen: dict[tuple[str, str], str] = {}
    for user in users:
        _once("email address", user.fields["email"], user.name, seen, findings)
        for device in user.devices:
            _once("API key", device.fields["apikey"], device.path, seen, findings)


def _once(what: str, value: str, where: str, seen: dict[tuple[str, str], str], findings: Findings) -> None:
    before = seen.setdefault((what, value), where) if value else where
    if before != where:
        findings.add(where, f"it has the same {what} as {before}")
