"""
What is public on the objects that users hold, read off the classes; and what of it touches no network, with the reason.

A new method is in neither list: then a test fails, until somebody says what it is.
"""

from __future__ import annotations

import inspect

from connectordb import ConnectorDB, Device, Stream, User
from connectordb.client import Database
from connectordb.query import Dataset, Merge

#: The objects, each without what it has of those before it.
_CLASSES: tuple[type, ...] = (User, Device, Stream, ConnectorDB, Database, Merge, Dataset)

#: Of what Python has for every class, this says nothing about a call.
_PYTHONS = frozenset(
    "__module__ __doc__ __dict__ __weakref__ __annotations__ __slots__ __orig_bases__ __parameters__ __init_subclass__ "
    "__static_attributes__ __firstlineno__ __annotations_cache__ __annotate_func__".split()
)

_NAMED = "names something, and asks nobody"
_VALUE = "looks at what is here"
_LIVE = "looks at, or pushes, the thread that has the websocket, and waits for nothing"
_MADE = "says what is to be asked"

#: What touches no network, and why.
LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(
        (
            f"{kind}.{name}"
            for kind in ("User", "Device", "Stream")
            for name in ("name", "path", "db")
            if (kind, name) != ("Device", "path")
        ),
        "is part of what it was made with",
    ),
    **dict.fromkeys(
        (
            f"{kind}.{name}"
            for kind in ("User", "Device", "Stream")
            for name in ("__eq__", "__hash__", "__repr__", "__init__", "__reduce__")
        ),
        _VALUE,
    ),
    **dict.fromkeys(("User.__getitem__", "Device.__getitem__", "Device.user", "Stream.user", "Stream.device"), _NAMED),
    **dict.fromkeys(("ConnectorDB.__call__", "ConnectorDB.__getitem__"), _NAMED),
    **dict.fromkeys(
        (f"{kind}.{name}" for kind in ("User", "Device", "Stream") for name in ("_repr_html_", "__rich__")),
        "raises nothing: what cannot be read within two seconds is said in the table",
    ),
    **dict.fromkeys(
        ("Stream.to_df", "Stream.to_arrow", "Stream.to_parquet", "Stream.to_csv"), "asks what `Stream.to_numpy` asks"
    ),
    **dict.fromkeys(
        ("Stream.plot", "Device.plot", "Device.to_df"),
        "asks what `Stream.to_numpy`, `Stream.data` and `Device.streams` ask",
    ),
    **dict.fromkeys(("Merge.plot", "Dataset.plot"), "asks what its `run` asks"),
    **dict.fromkeys(
        ("Stream.insert_df", "Stream.from_parquet", "Stream.from_csv"), "sends what `Stream.insert_array` sends"
    ),
    **dict.fromkeys(
        (f"{kind}.{name}" for kind in ("Merge", "Dataset") for name in ("to_numpy", "to_df", "to_arrow", "to_parquet")),
        "asks what `run` asks",
    ),
    **dict.fromkeys(("Merge.to_csv", "Dataset.to_csv"), "asks what iterating asks"),
    **dict.fromkeys(("ConnectorDB.url", "ConnectorDB.proxy", "ConnectorDB.stats", "ConnectorDB.measure"), _VALUE),
    **dict.fromkeys(("Merge.__repr__", "Dataset.__repr__"), _MADE),
    "ConnectorDB.options": "chooses how the calls of a block are made",
    "ConnectorDB.__reduce__": _VALUE,
    "ConnectorDB.settings": "says what it was made with, and why",
    **dict.fromkeys(
        (
            f"ConnectorDB.{name}"
            for name in "is_connected on_connect on_disconnect on_reconnect on_error reconnect pump".split()
        ),
        _LIVE,
    ),
    **dict.fromkeys(("ConnectorDB.every", "ConnectorDB.after", "ConnectorDB.run"), "waits for a time, or a signal"),
    **dict.fromkeys(
        ("User._ipython_key_completions_", "Device._ipython_key_completions_"),
        "has a thread ask, waits a moment for it, and tells of no failure (tests/client/test_completion.py)",
    ),
    "ConnectorDB.__enter__": "returns the connection",
    "ConnectorDB.__exit__": "closes it",
    "ConnectorDB.close": "closes; what is under way is ended, and nobody is asked (every meeting ends with it)",
    **dict.fromkeys(("Database.__init__", "Database.__repr__", "Database.baseurl"), _VALUE),
    **dict.fromkeys(
        ("Merge.__init__", "Merge.addStream", "Merge.query", "Dataset.__init__", "Dataset.addStream", "Dataset.query"),
        _MADE,
    ),
}


def members() -> dict[str, str]:
    """Return what is public, as ``Class.member``, with the first line of what is said of it."""
    found: dict[str, str] = {}
    for kind in _CLASSES:
        for name in _public(kind):
            item = inspect.getattr_static(kind, name)
            # ConnectorDB is a Device: what it has not of its own is told there
            if kind is ConnectorDB and hasattr(Device, name) and inspect.getattr_static(Device, name) is item:
                continue
            found[f"{kind.__name__}.{name}"] = (inspect.getdoc(item) or "").partition("\n")[0]
    return found


def _public(kind: type) -> set[str]:
    names = set()
    for each in kind.__mro__:
        if each.__module__.startswith("connectordb."):
            names |= {name for name in vars(each) if _is_public(name)}
    return names


def _is_public(name: str) -> bool:
    special = name.startswith("__") and name.endswith("__")
    # notebooks look for some that begin with one underscore
    return name not in _PYTHONS and (special or not name.startswith("_") or name.startswith(("_ipython_", "_repr_")))
