"""Processes that run one pass over a Logger's file, given its path, the server, the key and the seconds to wait; see `nursery`."""

from __future__ import annotations

import threading

from connectordb import ConnectorDB
from connectordb.logger.rows.store import Store
from connectordb.logger.sync.links import Link
from connectordb.logger.sync.passes import Pass
from connectordb.runtime.clock import SYSTEM

from .nursery import serve


def _live(words: list[str]) -> int:
    path, url, key, wait = words
    store = Store(path)
    link = Link(url, key, ConnectorDB(key, url=url, connect=False))
    Pass(store, link, lambda *_: link, SYSTEM, threading.Event(), float(wait)).run(store.points.newest())
    return 0


if __name__ == "__main__":
    serve(_live)
