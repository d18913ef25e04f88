"""The names and parameters that programs written for 0.3.5 use, as a table."""

from __future__ import annotations

import importlib
import inspect
import unittest
from typing import Any

import connectordb
from connectordb import ConnectorDB, DatapointArray, Device, Stream, User
from connectordb.client import Database

_NO_DEFAULT = inspect.Parameter.empty

#: Parameters in order, with their defaults; without one: ``...``. What follows ``*`` is keyword-only, and ours.
TABLE: dict[str, dict[str, Any]] = {
    "ConnectorDB": {"user_or_apikey": None, "user_password": None, "url": "http://localhost:3124"},
    "ConnectorDB.__call__": {"path": ...},
    "ConnectorDB.__getitem__": {"stream": ...},
    "ConnectorDB.ping": {},
    "ConnectorDB.close": {},
    "ConnectorDB.users": {},
    "ConnectorDB.count_users": {},
    "ConnectorDB.count_devices": {},
    "ConnectorDB.count_streams": {},
    "ConnectorDB.info": {},
    "ConnectorDB.reset_apikey": {},
    "ConnectorDB.import_users": {"directory": ...},
    "ConnectorDB.request": {"method": ..., "path": ..., "params": None, "data": None},
    "User.create": {"email": ..., "password": ..., "role": "user", "public": True, "**properties": ...},
    "User.set_password": {"new_password": ...},
    "User.devices": {},
    "User.streams": {"public": False, "downlink": False, "visible": True},
    "User.__getitem__": {"device": ...},
    "User.export": {"directory": ...},
    "User.import_device": {"directory": ...},
    "Device.create": {"public": False, "**properties": ...},
    "Device.streams": {},
    "Device.__getitem__": {"stream": ...},
    "Device.export": {"directory": ...},
    "Device.import_stream": {"directory": ...},
    "Device.reset_apikey": {},
    "Stream.create": {"schema": "{}", "**properties": ...},
    "Stream.insert": {"data": ...},
    "Stream.append": {"data": ...},
    "Stream.insert_array": {"datapoint_array": ..., "restamp": False},
    "Stream.__call__": {
        "t1": None,
        "t2": None,
        "limit": None,
        "i1": None,
        "i2": None,
        "downlink": False,
        "transform": None,
    },
    "Stream.length": {"downlink": False},
    "Stream.subscribe": {"callback": ..., "transform": "", "downlink": False},
    "Stream.unsubscribe": {"transform": "", "downlink": False},
    "Stream.export": {"directory": ...},
    "DatapointArray.t": {},
    "DatapointArray.d": {},
    "DatapointArray.raw": {},
    "DatapointArray.sum": {},
    "DatapointArray.mean": {},
    "DatapointArray.merge": {"array": ...},
    "DatapointArray.tshift": {"t": ...},
    "DatapointArray.writeJSON": {"filename": ...},
    "DatapointArray.loadJSON": {"filename": ...},
    "DatapointArray.loadExport": {"folder": ...},
    "Database.get": {"path": ..., "params": None},
    "Database.read": {"path": ..., "params": None},
    "Database.create": {"path": ..., "data": None},
    "Database.update": {"path": ..., "data": None},
    "Database.delete": {"path": ...},
    "Database.query": {"query_type": ..., "query": None},
}

#: Of every user, device and stream.
for _kind in ("User", "Device", "Stream", "ConnectorDB"):
    TABLE |= {f"{_kind}.{name}": {} for name in ("refresh", "exists", "delete")}
    TABLE[f"{_kind}.set"] = {"property_dict": ...}

#: Readable; with True also assignable.
PROPERTIES: dict[type, dict[str, bool]] = {
    User: {"email": True, "public": True, "role": True},
    Device: {
        "public": True,
        "role": True,
        "enabled": True,
        "visible": True,
        "user_editable": True,
        "apikey": False,
        "user": False,
    },
    Stream: {
        "datatype": True,
        "downlink": True,
        "ephemeral": True,
        "schema": True,
        "sschema": False,
        "user": False,
        "device": False,
    },
}
for _properties in PROPERTIES.values():
    _properties |= {"nickname": True, "description": True, "icon": True, "name": False, "path": False}
    _properties |= {"data": False, "metadata": False, "db": False}

#: What programs import from ``connectordb``, and from the rooms below it.
NAMES = {
    "connectordb": (
        *("ConnectorDB", "User", "Device", "Stream", "DatapointArray", "AuthenticationError", "ServerError"),
        *("CONNECTORDB_URL", "DATAPOINT_INSERT_LIMIT", "__version__"),
    ),
    "connectordb.logger": ("Logger",),
    "connectordb.query": ("Merge", "Dataset"),
}

KINDS = {kind.__name__: kind for kind in (ConnectorDB, User, Device, Stream, DatapointArray, Database)}


class Signatures(unittest.TestCase):
    """Old programs call functions as they are called here."""

    def test_parameters(self) -> None:
        """Parameters have the old names, order and defaults; those that were added are keyword-only."""
        for name, wanted in TABLE.items():
            kind, _, method = name.partition(".")
            called = getattr(KINDS[kind], method) if method else KINDS[kind]
            parameters = [item for item in inspect.signature(called).parameters.values() if item.name != "self"]
            found = {
                f"**{item.name}" if item.kind is item.VAR_KEYWORD else item.name: (
                    ... if item.default is _NO_DEFAULT else item.default
                )
                for item in parameters
                if item.kind is not item.KEYWORD_ONLY
            }
            with self.subTest(name):
                self.assertEqual(list(found.items()), list(wanted.items()))
                for item in parameters:
                    if item.kind is item.KEYWORD_ONLY:
                        self.assertIsNot(item.default, _NO_DEFAULT)

    def test_names(self) -> None:
        """What is imported is there, and public."""
        for module, names in NAMES.items():
            room = importlib.import_module(module)
            for name in names:
                with self.subTest(module, name=name):
                    self.assertTrue(hasattr(room, name))
                    self.assertIn(name, room.__all__)

    def test_sort(self) -> None:
        """The key of a sort is called f."""
        parameters = inspect.signature(DatapointArray.sort).parameters
        self.assertEqual(list(parameters), ["self", "f"])
        self.assertEqual(parameters["f"].default({"t": 4}), 4)

    def test_properties(self) -> None:
        """Properties are there, and those that a server can change are assignable."""
        for kind, wanted in PROPERTIES.items():
            for name, assignable in wanted.items():
                with self.subTest(kind=kind.__name__, name=name):
                    found = inspect.getattr_static(kind, name)
                    self.assertTrue(hasattr(type(found), "__get__"))
                    readonly = getattr(found, "_readonly", None)
                    if readonly is None:
                        readonly = found.fset is None
                    self.assertEqual(not readonly, assignable)
                    self.assertTrue(found.__doc__)

    def test_everything_is_documented(self) -> None:
        """Every public name has a docstring."""
        for kind in KINDS.values():
            for name, member in vars(kind).items():
                if not name.startswith("_") and callable(member):
                    with self.subTest(kind=kind.__name__, name=name):
                        self.assertTrue(member.__doc__)

    def test_constants(self) -> None:
        """The two constants are what they were."""
        self.assertEqual(connectordb.CONNECTORDB_URL, "http://localhost:3124")
        self.assertEqual(connectordb.DATAPOINT_INSERT_LIMIT, 5000)
