"""Calls that change nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from connectordb import ConnectorDB, ConnectorDBError, Device, Stream, User
from connectordb.client.fields import Field
from connectordb.client.resource import ConnectorObject
from connectordb.query import Dataset, Merge

from ..stage import Try
from .call import Call

Get = Callable[[Try], Any]


def fields(kind: type[ConnectorObject]) -> list[str]:
    """Return the properties of a class that are metadata."""
    return [name for name, item in inspect.getmembers(kind) if isinstance(item, Field)]


def _refreshed(thing: ConnectorObject) -> Any:
    thing.refresh()
    return thing.data


def _properties(kind: type[ConnectorObject], thing: ConnectorObject) -> Any:
    return {name: getattr(thing, name) for name in fields(kind)}


def _of_each(kind: type[ConnectorObject], get: Get) -> list[Call]:
    """Return the calls that users, devices and streams have in common."""
    name = kind.__name__
    return [
        Call(f"{name}.data", lambda at: get(at).data),
        Call(f"{name}.metadata", lambda at: get(at).metadata),
        Call(f"{name}.refresh()", lambda at: _refreshed(get(at))),
        Call(f"{name}.exists()", lambda at: get(at).exists()),
        Call(
            f"{name}.<property>",
            lambda at: _properties(kind, get(at)),
            tuple(f"{name}.{each}" for each in fields(kind)),
        ),
    ]


def _logged_in(at: Try) -> str:
    with at.connect(at.stage.key) as cdb:
        return cdb.path


def _logged_in_by_password(at: Try) -> str:
    with at.connect(at.stage.user, at.stage.password) as cdb:
        return cdb.path


def _path_asked_for(at: Try) -> str:
    return at.connect(at.stage.key, connect=False).path


def _merge(at: Try) -> Merge:
    merge = Merge(at.cdb)
    merge.addStream("temperature")
    merge.addStream(f"{at.stage.user}/box/temperature", limit=3)
    return merge


def _merged_here(at: Try) -> Any:
    merge = Merge(at.cdb)
    merge.addStream("temperature")
    merge.addStream([{"t": 1000.5, "d": -1}])
    return merge.run()


def _dataset(at: Try) -> Dataset:
    dataset = Dataset(at.cdb, "temperature", t1=900)
    dataset.addStream(f"{at.stage.user}/box/temperature")
    return dataset


def _counted(count: Callable[[ConnectorDB], int]) -> Get:
    # others make and remove users, devices and streams meanwhile
    return lambda at: count(at.cdb) > 0


def _names(things: list[Any]) -> list[str]:
    return sorted(
        thing.path for thing in things if thing.name in ("user", "meta", "box", "lamp", "temperature", "switch", "log")
    )


def _gone_on(begin: Callable[[Stream], Iterator[Any]]) -> Callable[[Try], list[Any]]:
    """Return what reads a stream to its end, each request being sent once, and goes on after one error."""

    def read(at: Try) -> list[Any]:
        got: list[Any] = []
        with at.cdb.options(retry=1), suppress(ConnectorDBError):
            for one in (left := begin(at.stream)):
                got.append(one)
            return got
        return [*got, *left]

    return read


READING = [
    Call("ConnectorDB(apikey)", _logged_in, ("ConnectorDB.__init__",)),
    Call("ConnectorDB(name, password)", _logged_in_by_password, ("ConnectorDB.__init__",)),
    Call("ConnectorDB.path", _path_asked_for, ("Device.path",)),
    Call("ConnectorDB.ping()", lambda at: at.cdb.ping()),
    Call("ConnectorDB.users()", lambda at: at.stage.user in [user.name for user in at.cdb.users()]),
    Call("ConnectorDB.count_users()", _counted(lambda cdb: cdb.count_users())),
    Call("ConnectorDB.count_devices()", _counted(lambda cdb: cdb.count_devices())),
    Call("ConnectorDB.count_streams()", _counted(lambda cdb: cdb.count_streams())),
    Call("ConnectorDB.info()", lambda at: at.cdb.info()),
    Call('ConnectorDB.request("GET", …)', lambda at: at.cdb.request("GET", "meta/version").content, is_raw=True),
    *_of_each(User, lambda at: at.user),
    Call("User.devices()", lambda at: _names(at.user.devices())),
    Call("User.streams()", lambda at: _names(at.user.streams())),
    *_of_each(Device, lambda at: at.box),
    Call("Device.read([…])", lambda at: dict(at.box.read(["temperature", at.stream.path], limit=5))),
    Call("Device.streams()", lambda at: _names(at.box.streams())),
    *_of_each(Stream, lambda at: at.stream),
    Call("Stream.schema", lambda at: at.stream.schema),
    Call("Stream.sschema", lambda at: at.stream.sschema),
    Call("Stream(t1=…)", lambda at: at.stream(t1=1003.0, limit=5), ("Stream.__call__",)),
    Call("Stream[-1]", lambda at: at.stream[-1], ("Stream.__getitem__",)),
    Call("Stream[2:9]", lambda at: at.stream[2:9], ("Stream.__getitem__",)),
    Call("len(Stream)", lambda at: len(at.stream), ("Stream.__len__",)),
    Call("list(Stream)", lambda at: [*iter(at.stream)], ("Stream.__iter__",)),
    Call("Stream.points()", lambda at: [*at.stream.points()]),
    Call("Stream.points(transform=…)", lambda at: [*at.stream.points(transform="$ * 2")], ("Stream.points",)),
    Call("Stream.pages(5)", lambda at: [*at.stream.pages(5)]),
    Call("Stream.pages(5), gone on with", _gone_on(lambda stream: stream.pages(5)), patience=3.0, is_twofold=True),
    Call("iter(Stream), gone on with", _gone_on(iter), ("Stream.__iter__",), patience=3.0, is_twofold=True),
    Call("Stream.to_numpy()", lambda at: at.stream.to_numpy().tolist()),
    Call("Stream.length()", lambda at: at.stream.length()),
    Call("Database.get(path)", lambda at: at.cdb.db.get("", {"q": "this"}).content, is_raw=True),
    Call("Database.read(path)", lambda at: at.cdb.db.read(at.stream.path).content, is_raw=True),
    Call("Database.query(…)", lambda at: at.cdb.db.query("merge", [{"stream": at.stream.path}])),
    Call("Merge.run()", lambda at: _merge(at).run()),
    Call("list(Merge)", lambda at: [*_merge(at)], ("Merge.__iter__",)),
    Call("Merge.run(), with points at hand", _merged_here),
    Call("Dataset.run()", lambda at: _dataset(at).run()),
    Call("list(Dataset)", lambda at: [*_dataset(at)], ("Dataset.__iter__",)),
]
