"""Calls that change something other than points: done once, or not at all, and told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectordb import ConnectorDB, Device, Stream, User

from ..stage import Try
from .call import Call
from .reading import fields

_WORD = "a word"


def _is_there(of: Callable[[Try], Any]) -> Callable[[Try], bool]:
    return lambda at: bool(at.direct(of(at)).exists())


def _is_gone(of: Callable[[Try], Any]) -> Callable[[Try], bool]:
    return lambda at: not at.direct(of(at)).exists()


def _says(of: Callable[[Try], Any], name: str = "description") -> Callable[[Try], bool]:
    return lambda at: getattr(at.direct(of(at)), name) == _WORD


def _new_user(at: Try) -> Any:
    return at.cdb(at.name)


def _make_user(at: Try) -> None:
    _create_user(at.direct(_new_user(at)))


def _create_user(user: User) -> None:
    user.create(f"{user.name}@example.org", "secret")


def _new_device(at: Try) -> Any:
    return at.new()


def _new_stream(at: Try) -> Any:
    return at.target


def _assign(thing: Any) -> None:
    thing.description = _WORD


def _assign_schema(at: Try) -> None:
    at.target.schema = {"type": "string"}


def _set_password(at: Try) -> None:
    _new_user(at).set_password("another")


def _has_password(at: Try) -> bool:
    with ConnectorDB(at.name, "another", url=at.stage.url) as cdb:
        return cdb.path == f"{at.name}/user"


def _reset_key(at: Try) -> None:
    at.keep = _new_device(at).reset_apikey()


def _has_key(at: Try) -> bool:
    with ConnectorDB(at.keep, url=at.stage.url) as cdb:
        return cdb.path == _new_device(at).path


def _reset_own_key(at: Try) -> None:
    """Log in as a new device, and have another key from then on."""
    at.keep.reset_apikey()


def _log_in_as_new(at: Try) -> None:
    at.direct(_new_device(at)).create()
    at.keep = at.connect(at.direct(_new_device(at)).apikey)


def _goes_on(at: Try) -> bool:
    return bool(at.keep.ping() == _new_device(at).path)


def _made(of: Callable[[Try], Any], *arguments: Any) -> Callable[[Try], None]:
    return lambda at: at.direct(of(at)).create(*arguments)


def _exported(what: str) -> Callable[[Try], None]:
    def export(at: Try) -> None:
        {"user": at.user, "device": at.box, "stream": at.stream}[what].export(at.folder)

    return export


def _is_exported(at: Try) -> bool:
    return at.folder.is_dir() and any(at.folder.rglob("data.json"))


def _export_direct(of: Callable[[Try], Any], name: bool = True) -> Callable[[Try], None]:
    """Make something, export it without the gate, and remove it."""

    def prepare(at: Try) -> None:
        thing = at.direct(of(at))
        thing.export(at.folder)
        thing.delete()

    return prepare


def _prepare_import_users(at: Try) -> None:
    _make_user(at)
    _export_direct(_new_user)(at)


def _import_users(at: Try) -> None:
    at.cdb.import_users(at.folder, passwords={at.name: "secret"})


def _prepare_import_device(at: Try) -> None:
    at.direct(_new_device(at)).create(streams={"s": {}})
    _export_direct(_new_device)(at)


def _prepare_import_stream(at: Try) -> None:
    at.make_target()
    at.direct(at.target).insert_array([{"t": 5.0, "d": 1}])
    _export_direct(_new_stream)(at)


def _of_each(kind: type, of: Callable[[Try], Any], make: Callable[[Try], None]) -> list[Call]:
    """Return the calls that users, devices and streams have in common."""
    name = kind.__name__
    assigned = tuple(f"{name}.{each}" for each in fields(kind))
    return [
        Call(f"{name}.set(…)", lambda at: of(at).set({"description": _WORD}), prepare=make, done=_says(of)),
        Call(f"{name}.<property> = …", lambda at: _assign(of(at)), assigned, make, done=_says(of)),
        Call(f"{name}.delete()", lambda at: of(at).delete(), prepare=make, done=_is_gone(of)),
    ]


CHANGING = [
    Call("User.create(…)", lambda at: _create_user(_new_user(at)), done=_is_there(_new_user)),
    Call("User.set_password(…)", _set_password, prepare=_make_user, done=_has_password),
    *_of_each(User, _new_user, _make_user),
    Call("User.export(directory)", _exported("user"), done=_is_exported, patience=3.0),
    Call(
        "User.import_device(directory)",
        lambda at: at.user.import_device(at.folder),
        prepare=_prepare_import_device,
        done=_is_there(_new_device),
    ),
    Call("Device.create(…)", lambda at: _new_device(at).create(), done=_is_there(_new_device)),
    Call("Device.reset_apikey()", _reset_key, prepare=_made(_new_device), done=_has_key),
    Call(
        "ConnectorDB.reset_apikey()",
        _reset_own_key,
        prepare=_log_in_as_new,
        done=_goes_on,
        members=("Device.reset_apikey",),
    ),
    *_of_each(Device, _new_device, _made(_new_device)),
    Call("Device.export(directory)", _exported("device"), done=_is_exported, patience=3.0),
    Call(
        "Device.import_stream(directory)",
        lambda at: at.user["user"].import_stream(at.folder),
        prepare=_prepare_import_stream,
        done=_is_there(_new_stream),
    ),
    Call("Stream.create(…)", lambda at: at.target.create({"type": "number"}), done=_is_there(_new_stream)),
    *_of_each(Stream, _new_stream, _made(_new_stream)),
    Call(
        "Stream.schema = …",
        _assign_schema,
        prepare=_made(_new_stream),
        done=lambda at: at.direct(at.target).schema == {"type": "string"},
    ),
    Call("Stream.export(directory)", _exported("stream"), done=_is_exported),
    Call(
        "ConnectorDB.import_users(directory)", _import_users, prepare=_prepare_import_users, done=_is_there(_new_user)
    ),
    Call(
        "Database.create(path, data)",
        lambda at: at.cdb.db.create(at.target.path, {"schema": "{}"}),
        done=_is_there(_new_stream),
        is_raw=True,
    ),
    Call(
        "Database.update(path, data)",
        lambda at: at.cdb.db.update(at.target.path, {"description": _WORD}),
        prepare=_made(_new_stream),
        done=_says(_new_stream),
        is_raw=True,
    ),
    Call(
        "Database.delete(path)",
        lambda at: at.cdb.db.delete(at.target.path),
        prepare=_made(_new_stream),
        done=_is_gone(_new_stream),
        is_raw=True,
    ),
]
