"""Tests of `connectordb.client.completion`."""

from __future__ import annotations

import importlib.util
import pydoc
import rlcompleter
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from connectordb import ConnectorDB
from connectordb.client import completion
from tests.support.case import MS, SOON, Case
from tests.support.terminal import typed
from tests.support.wire import Peer, Received, Step, answer, by_request, refuse, silence

LISTED = {
    "/crud/": ["mara", "tom"],
    "/crud/mara": ["room", "user", "meta"],
    "/crud/mara/user": ["own-stream"],
    "/crud/mara/room": ["temp-two", "temperature", "humidity"],
}


def listing(request: Received) -> Step:
    """Answer as a server that has these."""
    path = request.path.partition("/api/v1")[2]
    if path == "/":
        return answer("mara/user")
    if request.parameters.get("q") == "ls":
        return answer([{"name": name} for name in LISTED[path]])
    return answer({"name": path.rpartition("/")[2], "nickname": "N"})


class PromptCase(Case):
    """A server with a few things in it, and a connection."""

    def setUp(self) -> None:
        super().setUp()
        # a busy machine may take its time where names are what is looked for
        patience = mock.patch.object(completion, "PATIENCE", SOON)
        patience.start()
        self.addCleanup(patience.stop)
        self.peer = Peer(otherwise=by_request(listing))
        self.addCleanup(self.peer.close)
        self.cdb = ConnectorDB("key", url=self.peer.url)
        self.addCleanup(self.cdb.close)

    def asked(self) -> list[str]:
        """Return what was asked for since the login."""
        return [request.path.removeprefix("/api/v1") for request in self.peer.requests[1:]]

    def of(self, line: str, **variables: Any) -> list[str] | None:
        """Return what a line may become."""
        found = completion.of_line(line, {"cdb": self.cdb, **variables})
        return None if found is None else found.wholes


class Names(PromptCase):
    """What lies below an object."""

    def test_keys(self) -> None:
        """Streams of a device, and of the one that is logged in; devices of a user; asked for once."""
        room, mara = self.cdb("mara/room"), self.cdb("mara")
        for _ in range(3):
            self.assertEqual(self.cdb._ipython_key_completions_(), ["own-stream"])
            self.assertEqual(room._ipython_key_completions_(), ["humidity", "temp-two", "temperature"])
            self.assertEqual(mara._ipython_key_completions_(), ["meta", "room", "user"])
        self.assertEqual(self.asked(), ["/crud/mara/user", "/crud/mara/room", "/crud/mara"])

    def test_for_a_moment(self) -> None:
        """They are asked for again when they are no longer fresh."""
        room = self.cdb("mara/room")
        with mock.patch.object(completion, "FRESH", 0.0):
            room._ipython_key_completions_()
            room._ipython_key_completions_()
        self.assertEqual(len(self.asked()), 2)

    def test_server_that_says_nothing(self) -> None:
        """Nobody waits for long, and what comes later is there for the next time."""
        room, may_answer = self.cdb("mara/room"), threading.Event()
        self.peer.steps.append(by_request(lambda request: (may_answer.wait(SOON), listing(request))[1]))
        with mock.patch.multiple(completion, PATIENCE=20 * MS, FRESH=0.0):
            self.assertEqual(room._ipython_key_completions_(), [])
            may_answer.set()
            self.assertTrue(self.eventually(room._ipython_key_completions_))
        self.peer.steps.append(silence())
        with mock.patch.object(completion, "_LIMIT", 20 * MS), self.assertLogs(completion.log, "DEBUG") as logs:
            self.assertEqual(self.cdb("mara")._ipython_key_completions_(), [])
        self.assertIn("no completion", logs.output[0])

    def test_dead_server(self) -> None:
        """A server that is gone, or refuses, has no names, or those that it had; a connection that is closed, too."""
        room = self.cdb("mara/room")
        with mock.patch.object(completion, "FRESH", 0.0):
            self.peer.steps.append(refuse(500, "no"))
            self.assertEqual(room._ipython_key_completions_(), [])
            names = room._ipython_key_completions_()
            self.assertEqual(len(names), 3)
            self.peer.close()
            self.assertEqual(room._ipython_key_completions_(), names)
            self.assertEqual(self.cdb("tom")._ipython_key_completions_(), [])
            self.cdb.close()
            self.assertEqual(self.cdb("tom")._ipython_key_completions_(), [])

    def test_nobody(self) -> None:
        """Nobody has no streams; who has not logged in yet is asked for."""
        self.peer.steps.append(answer("nobody"))
        with ConnectorDB(None, url=self.peer.url, connect=False) as cdb:
            self.assertEqual(cdb._ipython_key_completions_(), [])
        with ConnectorDB("key", url=self.peer.url, connect=False) as cdb:
            self.assertEqual(cdb._ipython_key_completions_(), ["own-stream"])

    def test_users(self) -> None:
        """Who may not list users sees himself."""
        self.assertEqual(self.of('cdb("'), ["mara", "mara/", "tom", "tom/"])
        with ConnectorDB("other", url=self.peer.url) as cdb:
            self.peer.steps.append(refuse(403, "You do not have permissions necessary to list users."))
            self.assertEqual(self.of('cdb("', cdb=cdb), ["mara", "mara/"])


class Lines(PromptCase):
    """What stands at the end of a line."""

    def test_paths(self) -> None:
        """Users, then their devices, then streams; keys of whatever a line says that asks nobody."""
        room, stream, mara = self.cdb("mara/room"), self.cdb("mara/room/temperature"), self.cdb("mara")
        for line, expected in {
            'cdb("ma': ["mara", "mara/"],
            "x = cdb('ma": ["mara", "mara/"],
            'cdb("mara/ro': ["mara/room", "mara/room/"],
            'cdb("mara/room/temp': ["mara/room/temp-two", "mara/room/temperature"],
            'cdb("mara/room/temperature/': [],
            'cdb["': ["own-stream"],
            'room["h': ["humidity"],
            'print(room["h': ["humidity"],
            'mara["r': ["room"],
            'mara["room"]["h': ["humidity"],
            'cdb("mara/room")["h': ["humidity"],
            'cdb( "mara" )["room"]["h': ["humidity"],
            'cdb.user["r': ["room"],
            'room.user["r': ["room"],
            'stream.device["h': ["humidity"],
            'cdb.user["room"]["x': [],
            'stream["': [],
            'cdb("mara").user["m': ["meta"],
        }.items():
            with self.subTest(line):
                self.assertEqual(self.of(line, room=room, stream=stream, mara=mara), expected)

    def test_alone(self) -> None:
        """A path alone, as a shell has it: with names of the device's own streams where these are wanted."""
        for begun, with_own, expected in (
            ("ma", False, ["mara/", *(f"mara/{name}" for name in ("meta", "meta/", "room", "room/", "user", "user/"))]),
            ("mara/ro", True, ["mara/room", "mara/room/"]),
            ("mara/room/h", False, ["mara/room/humidity"]),
            ("o", True, ["own-stream"]),
            ("o", False, []),
            ("mara/room/humidity/", True, []),
            ("no path/", True, []),
        ):
            with self.subTest(begun):
                self.assertEqual(completion.paths(self.cdb, begun, with_own=with_own), expected)

    def test_not_ours(self) -> None:
        """Everything else is left to others."""
        before = len(self.peer.requests)
        for line in (
            *(
                "",
                "cdb",
                "cdb.",
                'other["',
                'number["',
                'cdb.request("',
                'cdb("mara").data["',
                "cdb[5",
                'cdb("no path!',
            ),
            *('room("ma', 'cdb("1")["', 'cdb["a/b/c/d"]["', 'cdb("a/b/c/d/e")["', "cdb['x\"", 'print("'),
        ):
            with self.subTest(line):
                self.assertFalse(self.of(line, number=5, room=self.cdb("mara/room")))
        with ConnectorDB("key", url=self.peer.url, connect=False) as cdb:
            self.assertIsNone(self.of('cdb.user["', cdb=cdb))  # that would have to log in
        self.assertEqual(len(self.peer.requests), before)


class Prompts(PromptCase):
    """Completing in a prompt."""

    def test_attributes(self) -> None:
        """Attributes are completed without asking what their values are."""
        variables = {"room": self.cdb("mara/room"), "mara": self.cdb("mara"), "cdb": self.cdb}
        completer = rlcompleter.Completer(variables)
        for name in ("room", "mara", "cdb"):
            found: list[str] = []
            while (text := completer.complete(f"{name}.", len(found))) is not None:
                found.append(text.rstrip("()"))
            for attribute in ("nickname", "path", "delete"):
                self.assertIn(f"{name}.{attribute}", found)
            self.assertFalse([text for text in found if text.startswith(f"{name}._")])
        self.assertEqual(self.asked(), [])

    def test_help(self) -> None:
        """What a thing is and can do is told without asking either."""
        for thing in (
            self.cdb,
            self.cdb("mara"),
            self.cdb("mara/room"),
            self.cdb("mara/room/temperature"),
            self.cdb.stats,
        ):
            said = pydoc.render_doc(thing, renderer=pydoc.plaintext)
            self.assertIn(type(thing).__name__, said)
            for text in (repr(thing), str(thing)):
                self.assertIn(type(thing).__name__, text)
            self.assertTrue(dir(thing))
        self.assertEqual(repr(self.cdb("mara/room")), f"<Device 'mara/room' at {self.peer.url}>")
        self.assertEqual(self.asked(), [])

    def test_installed(self) -> None:
        """What is ours is completed, from where the prompt takes the word to begin; the rest as before."""
        buffer = ""
        prompt = mock.Mock()
        prompt.get_completer.return_value = lambda text, state: f"before {text} {state}"
        prompt.get_line_buffer = lambda: buffer + " what follows"
        prompt.get_endidx = lambda: len(buffer)
        with mock.patch.dict(sys.modules, {"readline": prompt, "_pyrepl.readline": None}):
            completion.install({"cdb": self.cdb})
        complete = prompt.set_completer.call_args.args[0]
        for buffer, word, expected in (
            ('cdb("mara/ro', "ro", ["room", "room/", None]),
            ('cdb("mara/room/temp-', "", ["two", None]),
            ('cdb("mara/room/temp-', "mara/room/temp-", ["mara/room/temp-two", None]),
            ('cdb["nothing', "nothing", [None]),
            ("cdb.", "cdb.", ["before cdb. 0", "before cdb. 1"]),
        ):
            with self.subTest(buffer):
                self.assertEqual([complete(word, state) for state in range(len(expected))], expected)

    def begin(self) -> str:
        """Return the line with which a prompt begins."""
        return f"from connectordb import ConnectorDB as C; cdb = C('key', url={self.peer.url!r}); print('log' + 'ged in')\r"

    @unittest.skipIf(sys.platform == "win32", "needs a terminal")
    def test_python(self) -> None:
        """Python's own prompt completes a path, and what lies below it."""
        typed(
            self,
            ["-q"],
            ("", ">>> "),
            (self.begin(), "logged in"),
            ("from connectordb.client import completion as c; c.install(); print('instal' + 'led')\r", "installed"),
            ('cdb("mara/ro\t', "om"),
            ('")["hum\t', "idity"),
        )

    @unittest.skipUnless(importlib.util.find_spec("IPython"), "needs IPython")
    def test_ipython(self) -> None:
        """So does IPython."""
        typed(
            self,
            ["-m", "IPython", "--no-banner"],
            ("", "In ["),
            (self.begin(), "logged in"),
            ('cdb["own\t', "-stream"),
            ('"].name\r', "'own-stream'"),
            ("%load_ext connectordb.client.completion\r", "In ["),
            ('cdb("mara/room")["hum\t', "idity"),
        )
