"""Each caller against each operation on each object: the handlers do what the table of permissions says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from connectordb.server.handlers import Refusal, Reply, Request, create, crud, data, meta
from connectordb.server.rights.accounts import ANONYMOUS, Caller
from connectordb.server.storage import Device, User, Writer
from connectordb.server.tree import create_user

from ..support.case import SOON
from ..support.matrix import FIELDS, NOTHING, Grant, Kind, Relation, governs, granted, pairs
from .storage.trees import StorageCase, device, stream

NOW = 1700000000.5
NO_ACCESS = "Can't access this resource."
OK = (200, "")

Handler = Callable[[Any, Request], Reply]


class _Undo(Exception):
    """Takes back what a request did."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


@dataclass(frozen=True)
class Target:
    """A user, perhaps a device of it, and how they stand to the caller."""

    user: str
    relation: Relation
    device: str = ""
    device_relation: Relation = "private"


@dataclass
class Cell:
    """One request and what is to come of it: a status, and of a refusal the message; of what is read, the fields."""

    name: str
    handler: Handler
    path: str
    expected: tuple[int, str]
    body: Any = None
    query: str = ""
    downlink: bool = False
    fields: frozenset[str] | None = None


def _plant(writer: Writer) -> None:
    """Make callers of each pair of roles, and others: public and private users, each with an open and a shut device."""
    for user_role in ("user", "admin", "nobody", "unknown"):
        mine = create_user(
            writer, {"name": f"u{user_role}", "email": f"{user_role}@x", "role": user_role, "public": True}, ""
        )
        for device_role in ("none", "", "unknown", "reader", "writer", "user"):
            # whether it is enabled is a hint, and changes nothing
            _device(writer, mine, f"d{device_role}", role=device_role, enabled=device_role != "reader")
        _device(writer, mine, "sibling")
    for name, public in (("seen", True), ("hidden", False)):
        other = create_user(writer, {"name": name, "email": f"{name}@x", "role": "user", "public": public}, "")
        _device(writer, other, "open", public=True)
        _device(writer, other, "shut")


def _device(writer: Writer, user: User, name: str, **columns: Any) -> Device:
    made = writer.create_device(user.id, device(name, apikey=f"{user.name}{name}", **columns))
    writer.create_stream(made.id, stream("plain"))
    writer.create_stream(made.id, stream("inbox", downlink=True))
    return made


class Matrix(StorageCase):
    """All of it, in process."""

    def setUp(self) -> None:
        super().setUp()
        self.write(_plant)

    def test_matrix(self) -> None:
        """Every cell of the matrix is as the table says."""
        waiting: list[tuple[str, Cell, Future[Reply]]] = []
        for user_role, device_role in pairs():
            path = f"u{user_role}/d{device_role}"
            found = self.read(lambda reader, path=path: reader.find(path.split("/")))
            who = Caller(found.user, found.device)
            for cell in self.cells(path, user_role, device_role):
                waiting.append((path, cell, self.asked(cell, who)))
        for cell in self.cells("", "nobody", "user"):
            waiting.append(("nobody", cell, self.asked(cell, ANONYMOUS)))
        wrong = [text for who_asks, cell, future in waiting if (text := self.fault(cell, future, who_asks))]
        self.assertEqual(wrong[:20], [], f"{len(wrong)} of {len(waiting)} cells are wrong")
        self.assertGreater(len(waiting), 4000)

    def asked(self, cell: Cell, who: Caller) -> Future[Reply]:
        """Make a request, and take back what it did."""
        request = Request(
            now=NOW,
            names=tuple(cell.path.split("/")) if cell.path else (),
            body=b"" if cell.body is None else json.dumps(cell.body).encode(),
            caller=who,
            q=(cell.query,) if cell.query else (),
            query={"downlink": "true", "i1": "0"} if cell.downlink else {"i1": "0"},
            password_hash="hash",
        )

        def work(writer: Writer) -> Reply:
            raise _Undo(cell.handler(writer, request))

        return self.storage.write(work)

    def fault(self, cell: Cell, future: Future[Reply], who: str) -> str:
        """Return what is wrong with an outcome, if anything is."""
        error = future.exception(SOON)
        name = f"{who}: {cell.name} {cell.path}{' (downlink)' * cell.downlink}"
        if isinstance(error, Refusal):
            outcome = error.status, error.message
            return "" if outcome == cell.expected else f"{name}: {outcome}, not {cell.expected}"
        if not isinstance(error, _Undo):
            return f"{name}: {error!r}"
        if cell.expected != OK:
            return f"{name}: done, not {cell.expected}"
        if cell.fields is not None:
            shown = json.loads(error.reply.body)
            shown = shown[-1] if isinstance(shown, list) else shown
            if set(shown) != cell.fields:
                return f"{name}: shows {sorted(shown)}, not {sorted(cell.fields)}"
        return ""

    # --- the cells ---

    @staticmethod
    def cells(me: str, user_role: str, device_role: str) -> Iterator[Cell]:
        """Yield all that a caller tries, and what is to come of it."""
        rules = governs(user_role, device_role)
        yield Cell(
            "list users",
            crud.list_users,
            "",
            OK if rules else (404, "You do not have permissions necessary to list users."),
        )
        new = {"email": "n@x", "password": "pw", "role": user_role if user_role != "unknown" else "user"}
        refused = (403, "You do not have permissions necessary to create a user.")
        yield Cell("create user", create.create, "fresh", OK if rules else refused, new)
        for what in ("users", "devices", "streams"):
            refused = (403, f"Don't have permissions necessary to count {what}")
            yield Cell(f"count {what}", meta.root, "", OK if rules else refused, query=f"count{what}")
        for target in _targets(me):

            def grant(relation: Relation) -> Grant:
                return granted(user_role, device_role, relation) if me else NOTHING

            if target.device:
                yield from _on_device(target, grant(target.relation), grant(target.device_relation))
            else:
                yield from _on_user(target.user, grant(target.relation))


def _targets(me: str) -> Iterator[Target]:
    if me:
        mine, _, own = me.partition("/")
        yield Target(mine, "own")
        yield Target(mine, "own", own, "self")
        yield Target(mine, "own", "sibling", "own")
    for user, relation in (("seen", "public"), ("hidden", "private")):
        yield Target(user, relation)  # type: ignore[arg-type]
        yield Target(user, relation, "open", "public")  # type: ignore[arg-type]
        yield Target(user, relation, "shut", "private")  # type: ignore[arg-type]


def _allowed(grant: Grant, what: str, status: int = 403, message: str = NO_ACCESS) -> tuple[int, str]:
    return OK if what in grant.may else (status, message)


def _on_object(kind: Kind, path: str, grant: Grant) -> Iterator[Cell]:
    """Reading and changing an object, field by field."""
    seen = grant.reads.get(kind)
    yield Cell("read", crud.read, path, (404, NO_ACCESS) if seen is None else OK, fields=seen)
    writable = grant.writes.get(kind)
    for name in (*FIELDS[kind], *(("password",) if kind == "user" else ())):
        refusal = NO_ACCESS if writable is None else f"This device does not have permissions to write {name}"
        expected = OK if name in (writable or ()) else (403, refusal)
        yield Cell(f"change {name} of", crud.update, path, expected, {name: _value(kind, path, name)})


def _value(kind: Kind, path: str, name: str) -> Any:
    """Return a value that a field can have wherever it is."""
    if name in ("public", "enabled", "visible", "user_editable", "ephemeral", "downlink"):
        return True
    last = path.rpartition("/")[2]
    role = "user" if kind == "user" else "reader"
    return {"name": last, "email": "other@x", "role": role, "icon": "fa:x", "schema": "{}"}.get(name, "other")


def _on_user(path: str, grant: Grant) -> Iterator[Cell]:
    yield from _on_object("user", path, grant)
    refused = "You do not have permissions necessary to delete this user."
    yield Cell("delete", crud.delete, path, _allowed(grant, "delete user", message=refused))
    yield Cell("create device in", create.create, f"{path}/fresh", _allowed(grant, "create device"), {})
    yield Cell("list devices of", crud.read, path, _allowed(grant, "list devices", 404), query="ls")
    yield Cell("list streams of", crud.read, path, _allowed(grant, "list streams", 404), query="streams")


def _on_device(target: Target, of_user: Grant, grant: Grant) -> Iterator[Cell]:
    path = f"{target.user}/{target.device}"
    yield from _on_object("device", path, grant)
    yield Cell("delete", crud.delete, path, _allowed(grant, "delete device"))
    yield Cell("create stream in", create.create, f"{path}/fresh", _allowed(grant, "create stream"), {})
    shown = grant.reads.get("stream") if "list streams" in grant.may else None
    yield Cell("list streams of", crud.read, path, _allowed(grant, "list streams", 404), query="streams", fields=shown)
    if "list devices" in of_user.may and target.device in ("sibling", "shut"):
        yield Cell("list devices with", crud.read, target.user, OK, query="ls", fields=grant.reads.get("device"))
    owner = target.device_relation == "self"
    for name in ("plain", "inbox"):
        below = f"{path}/{name}"
        yield from _on_object("stream", below, grant)
        yield Cell("delete", crud.delete, below, _allowed(grant, "delete stream"))
        yield Cell("delete", crud.delete, below, _allowed(grant, "delete stream"), downlink=True)
        for downlink in (False, True):
            what = "downlink" if downlink else "data"
            yield Cell("read points of", data.read, below, _allowed(grant, f"read {what}"), downlink=downlink)
            yield Cell(
                "count points of", data.read, below, _allowed(grant, f"read {what}"), query="length", downlink=downlink
            )
            yield Cell("subscribe to", _subscribe, below, _allowed(grant, f"read {what}"), downlink=downlink)
            # what others put into a stream with a downlink goes there
            lands = "downlink" if downlink or (name == "inbox" and not owner) else "data"
            refused = f"Write access to stream {lands} denied."
            expected = _allowed(grant, f"write {lands}", message=refused)
            yield Cell("insert into", data.insert, below, expected, [{"d": 1}], downlink=downlink)


def _subscribe(writer: Writer, request: Request) -> Reply:
    if not data.is_readable(writer, request):
        raise Refusal(403, NO_ACCESS)
    return Reply.text("ok")
