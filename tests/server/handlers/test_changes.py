"""The log of changes."""

from __future__ import annotations

from connectordb.server.handlers.changes import ensure_log
from connectordb.server.handlers.create import create
from connectordb.server.handlers.crud import delete, update
from connectordb.server.storage import Stream, Writer

from .case import NOW, HandlerCase

ADMIN = "root1/user"


class Log(HandlerCase):
    """What is in ``meta/log``."""

    def entries(self, user: str) -> list[tuple[str, str]]:
        """Return the commands and arguments in a user's log."""
        return [(point["d"]["cmd"], point["d"]["arg"]) for point in self.stored(f"{user}/meta/log")]

    def test_own_changes(self) -> None:
        """Every change of something of a user is noted, with the server as its sender, and published."""
        reply = self.ask(create, "mara/new", {})
        self.ask(update, "mara/new", {"nickname": "x"})
        self.ask(delete, "mara/new")
        self.assertEqual(
            self.entries("mara"),
            [("CreateDevice", "mara/new"), ("UpdateDevice", "mara/new"), ("DeleteDevice", "mara/new")],
        )
        (told,) = reply.published
        point = {"t": NOW, "d": {"cmd": "CreateDevice", "arg": "mara/new"}, "o": "ConnectorDB"}
        self.assertEqual((told.path, told.points), ("mara/meta/log", (point,)))
        self.assertEqual(self.stored("mara/meta/log")[0], point)

    def test_somebody_elses(self) -> None:
        """A change by another is noted at both; a deletion only at who made it."""
        self.ask(update, "bob", {"nickname": "x"}, who=ADMIN)
        self.ask(delete, "bob", who=ADMIN)
        self.ask(delete, "root1", who=ADMIN)
        self.assertIsNone(self.read(lambda reader: reader.find(("root1",))).user)
        self.ask(update, "mara", {"nickname": "x"})
        self.assertEqual(self.entries("mara"), [("UpdateUser", "mara")])

    def test_made_when_needed(self) -> None:
        """The log is made once, and again if somebody deletes it."""

        def make(writer: Writer) -> Stream | None:
            user = writer.find(("mara",)).user
            assert user is not None
            return ensure_log(writer, user)

        self.assertEqual(self.write(make), self.write(make))
        self.ask(delete, "mara/meta/log")
        self.assertEqual(self.entries("mara"), [("DeleteStream", "mara/meta/log")])
