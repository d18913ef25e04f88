"""A sample of the matrix of permissions over the wire: of ours, or of any server that runs (see ``tests/support/target.py``)."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import requests

from connectordb.server.handlers import create, crud, data, meta

from ..support.matrix import pairs
from ..support.target import TargetCase, new_name
from . import test_matrix
from .test_matrix import OK, Cell

#: Cells that are tried.
SAMPLE = 250

_VERBS = {
    crud.read: "GET",
    crud.list_users: "GET",
    meta.root: "GET",
    data.read: "GET",
    create.create: "POST",
    data.insert: "POST",
    crud.update: "PUT",
    crud.delete: "DELETE",
}
_SECONDS = 20


class Sample(TargetCase):
    """The same cells, with real keys."""

    prefix: ClassVar[str]
    keys: ClassVar[dict[str, str]]
    http: ClassVar[requests.Session]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.prefix = new_name()
        cls.http = requests.Session()
        cls.addClassCleanup(cls.http.close)
        streams = {"plain": {}, "inbox": {"downlink": True}}
        roles = {f"d{role}": {"role": role, "streams": streams} for role in ("none", "", "reader", "writer", "user")}
        cls.keys = {"": ""}
        for role in ("user", "admin", "nobody"):
            cls._user(f"u{role}", {**roles, "sibling": {"streams": streams}}, role=role)
        both = {"open": {"public": True, "streams": streams}, "shut": {"streams": streams}}
        for name in ("seen", "hidden"):
            cls._user(name, both)
        cls._as_admin("PUT", f"crud/{cls.prefix}hidden", {"public": False})

    @classmethod
    def _user(cls, name: str, devices: dict[str, Any], **fields: Any) -> None:
        path = f"crud/{cls.prefix}{name}"
        cls.addClassCleanup(cls._remove, f"{cls.prefix}{name}")
        body = {"email": f"{cls.prefix}{name}@x.org", "password": "pw", "public": True, "devices": devices, **fields}
        cls._as_admin("POST", path, body)
        for device in cls._as_admin("GET", f"{path}?q=ls").json():
            cls.keys[f"{name}/{device['name']}"] = device["apikey"]

    @classmethod
    def _as_admin(cls, verb: str, path: str, body: Any = None) -> requests.Response:
        answer = cls._send(verb, path, cls.admin_key, body)
        assert answer.status_code == 200, answer.text
        return answer

    @classmethod
    def _send(cls, verb: str, path: str, key: str, body: Any = None) -> requests.Response:
        credentials = ("", key) if key else None
        return cls.http.request(verb, f"{cls.url}/api/v1/{path}", auth=credentials, json=body, timeout=_SECONDS)

    def test_sample(self) -> None:
        """What the table says is what is answered."""
        cells = [
            (f"u{user_role}/d{device_role}", cell)
            for user_role, device_role in pairs()
            if "unknown" not in (user_role, device_role)
            for cell in test_matrix.Matrix.cells(f"u{user_role}/d{device_role}", user_role, device_role)
        ]
        cells += [("", cell) for cell in test_matrix.Matrix.cells("", "nobody", "user")]
        harmless = [(who, cell) for who, cell in cells if _is_harmless(cell)]
        for who, cell in random.Random(7).sample(harmless, SAMPLE):
            with self.subTest(who=who, cell=cell.name, path=cell.path, downlink=cell.downlink):
                self.check(who, cell)

    def check(self, who: str, cell: Cell) -> None:
        """Hold an answer against a cell."""
        path = "" if cell.handler is meta.root else "crud/"
        path += f"{self.prefix}{cell.path}" if cell.path else ""
        path += "/data" if cell.handler in (data.read, data.insert) else ""
        path += "?q=ls" if cell.handler is crud.list_users else f"?q={cell.query}" if cell.query else "?i1=0"
        path += "&downlink=true" if cell.downlink else ""
        if cell.handler is not data.read and "q=" not in path:
            path = path.replace("?i1=0&", "?").replace("?i1=0", "")
        answer = self._send(_VERBS[cell.handler], path, self.keys[who], cell.body)
        message = answer.json()["msg"] if answer.status_code != OK[0] else ""
        self.assertEqual((answer.status_code, message), cell.expected)
        if cell.fields is not None and cell.expected == OK:
            shown = answer.json()
            self.assertEqual(set(shown[-1] if isinstance(shown, list) else shown), cell.fields)


def _is_harmless(cell: Cell) -> bool:
    """Tell whether a cell leaves all as it was, but for points and texts."""
    if cell.handler not in _VERBS:
        return False
    changes = cell.handler in (create.create, crud.update, crud.delete)
    return not changes or cell.expected != OK or set(cell.body or ()) in ({"nickname"}, {"description"})
