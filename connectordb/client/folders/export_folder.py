"""Reads the folder of an export, and checks that it is complete; ``protocol/exports.py`` says what it should contain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ...exceptions import LocalProtocolError
from ...protocol import exports, json_text
from ...protocol.paths import check_name
from ..properties import KNOWN


def check_device(folder: Path) -> dict[str, Any]:
    """Check the export of a device with its streams, and return the device's metadata."""
    fields = named(folder, "device")
    for stream in folders(folder, "stream"):
        check_stream(stream)
    return fields


def check_stream(folder: Path) -> dict[str, Any]:
    """Check the export of a stream, and return its metadata."""
    fields = named(folder, "stream")
    for name in (exports.DATA, *([exports.DOWNLINK] if fields.get("downlink") else [])):
        if not (folder / name).is_file():
            raise LocalProtocolError(f"{str(folder)!r} is no complete export of a stream: it has no {name}")
    return fields


def check_version(root: Path, readable: tuple[int, ...]) -> None:
    """Check that an export of users has one of the versions that are *readable*."""
    about = _read(root / exports.ABOUT)
    version = about.get("Version")
    if isinstance(version, bool) or version not in readable:
        raise LocalProtocolError(
            f"{str(root)!r} is an export of version {version!r}; expected {' or '.join(map(str, readable))}"
        )


def folders(root: Path, kind: str) -> list[Path]:
    """Return the folders in *root* that hold an object of a *kind* (user, device or stream), in order of name."""
    return sorted(folder for folder in root.iterdir() if (folder / exports.OBJECT[kind]).is_file())


def named(folder: Path, kind: str) -> dict[str, Any]:
    """Return the metadata of the object in a folder, which have a valid name."""
    fields = _read(folder / exports.OBJECT[kind])
    check_name(fields.get("name"))
    return fields


def known(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of an object's metadata that can be set on a server."""
    return {name: fields[name] for name in KNOWN[kind] if name in fields}


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json_text.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise LocalProtocolError(f"{str(file.parent)!r} is no export: {file.name} cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise LocalProtocolError(f"{str(file.parent)!r} is no export: {file.name} holds no object")
    return cast("dict[str, Any]", content)
