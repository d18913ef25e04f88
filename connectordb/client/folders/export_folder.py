"""The folder of an export, looked at: what it holds, and whether all of it is there, as ``protocol/exports.py`` says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ...exceptions import LocalProtocolError
from ...protocol import exports, json_text
from ...protocol.paths import check_name
from ..properties import KNOWN


def check_device(folder: Path) -> dict[str, Any]:
    fields = named(folder, "device")
    for stream in folders(folder, "stream"):
        check_stream(stream)
    return fields


def check_stream(folder: Path) -> dict[str, Any]:
    fields = named(folder, "stream")
    for name in (exports.DATA, *([exports.DOWNLINK] if fields.get("downlink") else [])):
        if not (folder / name).is_file():
            raise LocalProtocolError(f"{str(folder)!r} is no complete export of a stream: it has no {name}")
    return fields


def check_version(root: Path, readable: tuple[int, ...]) -> None:
    about = _read(root / exports.ABOUT)
    version = about.get("Version")
    if isinstance(version, bool) or version not in readable:
        raise LocalProtocolError(
            f"{str(root)!r} is an export of version {version!r}; expected {' or '.join(map(str, readable))}"
        )


def folders(root: Path, kind: str) -> list[Path]:
    """Return the folders in *root* that hold a user, a device or a stream, in order of name."""
    return sorted(folder for folder in root.iterdir() if (folder / exports.OBJECT[kind]).is_file())


def named(folder: Path, kind: str) -> dict[str, Any]:
    fields = _read(folder / exports.OBJECT[kind])
    check_name(fields.get("name"))
    return fields


def known(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in KNOWN[kind] if name in fields}


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json_text.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise LocalProtocolError(f"{str(file.parent)!r} is no export: {file.name} cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise LocalProtocolError(f"{str(file.parent)!r} is no export: {file.name} holds no object")
    return cast("dict[str, Any]", content)
