"""Calls that go by the websocket: those that wait until the server has obeyed."""

from __future__ import annotations

from typing import Any

from connectordb import DownlinkTimeout

from ..stage import Try
from .call import Call


def _ignore(path: str, points: Any) -> None:
    pass


def _subscribe(at: Try) -> bool:
    return at.stream.subscribe(_ignore) is not None


def _subscribe_to_downlink(at: Try) -> bool:
    return at.target.on_downlink(_ignore) is _ignore


def _make_downlink(at: Try) -> None:
    at.make_target(downlink=True)


def _watch(at: Try) -> Any:
    with at.stream.watch(since=-2, timeout=5) as points:
        return [next(points)["d"], next(points)["d"]]


def _unsubscribe(at: Try) -> bool:
    at.keep.unsubscribe()
    return True


def _subscribe_first(at: Try) -> None:
    at.keep = at.stream
    at.keep.subscribe(_ignore)


def _subscribe_to_many(at: Try) -> bool:
    return at.cdb.subscribe([at.stream.path, f"{at.stage.user}/box/*"], _ignore) is not None


def _command(at: Try) -> Any:
    return at.cdb(at.stage.lamp).command({"on": at.name}, timeout=3.0)["d"]["on"] == at.name


def _light(at: Try) -> None:
    assert at.stage.lamp


LIVE = [
    Call("Stream.subscribe(callback)", _subscribe, is_live=True),
    Call("Stream.on_downlink(callback)", _subscribe_to_downlink, prepare=_make_downlink, is_live=True),
    Call("Stream.watch()", _watch, is_live=True, patience=5.0),
    Call("Stream.unsubscribe()", _unsubscribe, prepare=_subscribe_first, is_live=True),
    Call("Stream.live()", lambda at: at.stream.live().value, is_live=True),
    Call("Stream.command(value)", _command, prepare=_light, is_live=True, raises=(DownlinkTimeout,), patience=3.0),
    Call("Device.live()", lambda at: sorted(at.box.live()), is_live=True),
    Call("ConnectorDB.subscribe(paths, callback)", _subscribe_to_many, is_live=True),
]
