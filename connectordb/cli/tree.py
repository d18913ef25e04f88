"""The commands for users, devices and streams: ``ls``, ``info``, ``new``, ``set``, ``rm``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..client import ConnectorDB, Device, Stream, User
from ..exceptions import LocalProtocolError, NotFound
from ..protocol import json_text
from .completing import paths, places
from .connection import connect, profile, thing
from .printing import as_json, show, show_columns

#: Shown instead of a key, unless the user asks for it.
_HIDDEN = "(shown with --apikey)"

#: An unknown option is treated as a property, and so refused with a message that says how properties are written.
_WITH_PROPERTIES = {"ignore_unknown_options": True}


@click.command()
@click.argument("path", required=False, default="", shell_complete=places)
@click.option("-l", "--long", "is_long", is_flag=True, help="Also show types, and how many points streams have.")
@as_json
@profile
def ls(path: str, is_long: bool, as_json: bool, profile: str | None) -> None:
    """
    List what is below PATH.

    For a user, this lists its devices, and for a device its streams; without PATH, the streams of the device that you are logged in
    as; for "/", all users that you may see. Since nothing is below a stream, a plain name means a user here.
    """
    with connect(profile) as cdb:
        found = _below(cdb, path)
        lengths = {each.path: len(each) for each in found if is_long and isinstance(each, Stream)}
        if as_json:
            rows = [{"path": each.path, **_shown(each.data), "length": lengths.get(each.path)} for each in found]
            show(
                [{name: value for name, value in row.items() if name != "length" or value is not None} for row in rows]
            )
        elif is_long and found:
            show_columns([(each.name, *_details(each, lengths.get(each.path))) for each in found])
        else:
            for each in found:
                click.echo(each.name)


@click.command()
@click.argument("path", required=False, default="", shell_complete=paths)
@click.option("--apikey", is_flag=True, help="Show the API key, if you may see it.")
@as_json
@profile
def info(path: str, apikey: bool, as_json: bool, profile: str | None) -> None:
    """
    Show a user, a device or a stream.

    PATH is user/, user/device or user/device/stream, or the name of a stream of your own. Without PATH, the device that you are
    logged in as is shown. For a stream, the number of points and the newest one are shown, too.
    """
    with connect(profile) as cdb:
        found = thing(cdb, path) if path else cdb
        known: dict[str, Any] = {"path": found.path, **_shown(found.data, apikey)}
        if isinstance(found, Stream):
            newest = found(i1=-1)
            known |= {"length": len(found), "newest": newest[0] if newest else None}
    if as_json:
        show(known)
    else:
        show_columns(
            [
                (name, value if isinstance(value, str) else json_text.dumps(value).decode())
                for name, value in known.items()
            ]
        )


@click.command(context_settings=_WITH_PROPERTIES)
@click.argument("path", shell_complete=places)
@click.argument("properties", metavar="[NAME=VALUE]...", nargs=-1)
@profile
def new(path: str, properties: tuple[str, ...], profile: str | None) -> None:
    """
    Create a device or a stream.

    PATH is user/device or user/device/stream, or the name of a stream of your own. Properties are given as for "set": connectordb
    new mara/room/lamp schema='{"type": "boolean"}' downlink=true
    """
    with connect(profile) as cdb:
        found, fields = thing(cdb, path, is_new=True), _fields(properties)
        if isinstance(found, User):
            raise click.UsageError(
                f"{path!r} is a user: an administrator makes one on the server's machine, connectordb user DIR add; "
                "a device is user/device, a stream user/device/stream"
            )
        with _schemas_checked():
            found.create(**fields)
    click.echo(f"Created the {_kind(found)} {found.path}.", err=True)


@click.command("set", context_settings=_WITH_PROPERTIES)
@click.argument("path", shell_complete=paths)
@click.argument("properties", metavar="NAME=VALUE...", nargs=-1, required=True)
@profile
def set_(path: str, properties: tuple[str, ...], profile: str | None) -> None:
    """
    Change a user, a device or a stream.

    PATH is user/, user/device or user/device/stream, or the name of a stream of your own. Either all properties are changed, or none. A VALUE is JSON, or otherwise text: nickname="The lamp" public=true schema='{"type": "number"}'
    """
    with connect(profile) as cdb, _schemas_checked():
        thing(cdb, path).set(_fields(properties))


@click.command()
@click.argument("path", shell_complete=paths)
@click.option(
    "-y", "--yes", is_flag=True, help="Do not ask for confirmation; for a user or a device, together with --recursive."
)
@click.option(
    "-r", "--recursive", is_flag=True, help="With --yes: also delete a user or a device, with everything below it."
)
@profile
def rm(path: str, yes: bool, recursive: bool, profile: str | None) -> None:
    """
    Delete a user, a device or a stream.

    PATH is user/, user/device or user/device/stream, or the name of a stream of your own. Everything below it is deleted, too, for good.
    """
    with connect(profile) as cdb:
        found = thing(cdb, path)
        found.refresh()  # raises if it does not exist, before a question is asked
        if yes:
            # in a script, "mara/room/$STREAM" is the device if the variable is empty
            if not recursive and not isinstance(found, Stream):
                raise click.UsageError(
                    f"{found.path} is a {_kind(found)}: give --recursive as well, to delete it with everything below it"
                )
        else:
            if not sys.stdin.isatty():
                raise click.UsageError("there is no terminal to ask for confirmation: give --yes")
            click.confirm(
                f"Delete the {_kind(found)} {found.path}, and everything below it, for good?", abort=True, err=True
            )
        found.delete()
    click.echo(f"Deleted the {_kind(found)} {found.path}.", err=True)


# --- what is listed, and what is told of it ---------------------------------------------------------------------------


def _below(cdb: ConnectorDB, path: str) -> list[User | Device | Stream]:
    if not path:
        return list(cdb.streams())
    if path == "/":
        return list(cdb.users())
    is_name = "/" not in path
    found = thing(cdb, f"{path}/" if is_name else path)
    try:
        if isinstance(found, User):
            return list(found.devices())
        if isinstance(found, Device):
            return list(found.streams())
    except NotFound as error:
        if not is_name:
            raise
        raise click.ClickException(
            f"there is no user {path!r}, or none that you may see; for a stream of your own: connectordb info {path}"
        ) from error
    raise click.UsageError(f"{found.path!r} is a stream, and nothing is below it: connectordb info, or connectordb cat")


def _kind(found: User | Device | Stream) -> str:
    return type(found).__name__.lower()


def _shown(fields: dict[str, Any], with_key: bool = False) -> dict[str, Any]:
    """Return metadata for people to read: with the schema as an object, and with the key only if that was asked for."""
    shown = {name: value for name, value in fields.items() if value not in ("", None) or name == "schema"}
    if "apikey" in shown and not with_key:
        shown["apikey"] = _HIDDEN
    if isinstance(schema := shown.get("schema"), str):
        shown["schema"] = json_text.loads(schema or "{}")
    return shown


def _details(each: User | Device | Stream, length: int | None) -> tuple[str, ...]:
    fields = each.data
    words: Iterable[str] = (name for name in ("downlink", "ephemeral", "public") if fields.get(name))
    kind = _shown(fields).get("schema", {}).get("type", "")
    count = "" if length is None else f"{length:,}"
    return count, ", ".join([*([kind] if isinstance(kind, str) and kind else []), *words]), fields.get("nickname", "")


@contextmanager
def _schemas_checked() -> Iterator[None]:
    """Report a schema that is not valid in one line; the exception that programs get has many."""
    try:
        yield
    except Exception as error:
        from ..protocol.schemas import is_schema_error  # it loads a validator, which few commands need

        if not is_schema_error(error):
            raise
        place = "".join(f"[{step!r}]" for step in getattr(error, "absolute_path", ()))
        raise click.ClickException(f"schema{place}: {getattr(error, 'message', error)}") from error


def _fields(properties: tuple[str, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for each in properties:
        name, found, value = each.partition("=")
        if not found or not name.isidentifier():
            raise click.UsageError(f'{each!r}: expected NAME=VALUE, as schema=\'{{"type": "number"}}\', or public=true')
        fields[name] = parsed(value)
    return fields


def parsed(text: str) -> Any:
    """Return the value of a word on the command line: that of JSON, or else the text itself."""
    try:
        return json_text.checked(json_text.loads(text.encode()))
    except (ValueError, LocalProtocolError):
        return text
