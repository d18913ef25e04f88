"""What holds for every command: its ``--json``, a pipe that closes, a dead server, a wrong key, Ctrl-C."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from connectordb import ConnectorDB
from connectordb.cli.commands import commands
from connectordb.client import save
from connectordb.logger import Logger
from connectordb.server import backup, create

from ..support.case import SOON
from ..support.command_line import here
from ..support.forked_commands import ForkedCommands, Running
from ..support.wire import Peer, silence
from .test_login import LoginCase

ORIGINAL = Path(__file__).parents[1] / "server" / "exchange" / "original"
POINTS = "".join(f'{{"t": {number}, "d": {number}}}\n' for number in range(1, 5))

ONE, LINES = json.loads, lambda text: [json.loads(line) for line in text.splitlines()]


@dataclass(frozen=True)
class Row:
    """
    A command.

    Attributes:
        typed: Its arguments; what stands in braces is made anew each time, see `Conventions._made`.
        json: How its ``--json`` is read; `None` if it prints no data.
        asks: Whether it asks a server for something, and is nothing without.
        stdin: What it reads.
        tells: Whether it says what it found also where it fails.
    """

    typed: str
    json: Callable[[str], object] | None = None
    asks: bool = False
    stdin: str = ""
    tells: bool = False


ROWS = {
    "create": Row("{new}", ONE),
    "config": Row("{db}", ONE),
    "permissions": Row(""),  # a file of a form of its own
    "user list": Row("{db} list", ONE),
    "user add": Row("{db} add tom --email tom@example.org --password-stdin", stdin="word\n"),
    "user password": Row("{db} password mara --password-stdin", stdin="word\n"),
    "user role": Row("{db} role mara admin"),
    "user remove": Row("{db} remove mara --yes --force"),
    "check": Row("{db}", ONE),
    "backup": Row("{db} {new}", ONE),
    "restore": Row("{new} {backup}"),
    "export": Row("{db} {new}", ONE),
    "import": Row("{new} {export}", ONE),
    "login": Row("mara --url {url} --password-stdin", stdin="hidden word\n"),
    "logout": Row(""),
    "whoami": Row("", ONE, asks=True, tells=True),
    "doctor": Row("", ONE, asks=True, tells=True),
    "ls": Row("mara", ONE, asks=True),
    "info": Row("heat", ONE, asks=True),
    "new": Row("mara/{name}", asks=True),
    "set": Row("mara/user nickname=N", asks=True),
    "rm": Row("mara/{device} --yes --recursive", asks=True),
    "cat": Row("heat", ONE, asks=True),
    "insert": Row("{stream} 5", asks=True),
    "tail": Row("heat", LINES, asks=True),
    "merge": Row("heat heat", ONE, asks=True),
    "dataset": Row("--x heat heat", ONE, asks=True),
    "plot": Row("heat", asks=True),  # a picture
    "save": Row("heat {new}", ONE, asks=True),
    "load": Row("{saved} mara/user", ONE, asks=True),
    "log status": Row("{log} status", LINES),
    "log rejected": Row("{log} rejected", LINES),
    "log set-aside-unsettled": Row("{log} set-aside-unsettled", LINES),
    "log export": Row("{log} export"),  # a JSON object a line, without being asked
    "log sync": Row("{log} sync", LINES),
    "log check": Row("{log} check", LINES),
    "log vacuum": Row("{log} vacuum", LINES),
    "log insert": Row("{log} insert heat", LINES, stdin="5\n6\n"),
    "pipescript": Row("mean", ONE, stdin=POINTS),
    "shell": Row("-c print(cdb.path,flush=True)", asks=True),
    "completion": Row("bash"),  # a script
}

#: What runs for long, and has tests of its own; `start` and `stop` are below.
ELSEWHERE = {"run", "demo", "start", "stop"}


@unittest.skipUnless(hasattr(os, "fork"), "needs fork")
class Conventions(LoginCase):
    """A server with a stream, a database without a server, a Logger's file; and all commands."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.numbers = itertools.count()
        cls.forked = ForkedCommands()
        cls.addClassCleanup(cls.forked.close)

    def setUp(self) -> None:
        super().setUp()
        self.top = self.folder()
        self.login()
        with ConnectorDB() as cdb:
            if not cdb["heat"].exists():
                cdb["heat"].create()
                cdb["heat"].insert_array([{"t": 1.6e9 + number, "d": number} for number in range(2000)])
            save(cdb["heat"], self.top / "saved")
            with Logger(self.top / "log.db", on_create=None) as logger:
                logger.serverurl, logger.apikey = cdb.url, cdb.apikey
                logger.addStream_force("heat")
        create(self.top / "db", user="mara", password="word")
        backup(self.top / "db", self.top / "backup")

    def _made(self, word: str) -> str:
        """Return what stands for a word in braces."""
        name = f"n{next(self.numbers)}"
        new = self.top / name
        if word == "{new}":
            return str(new)
        if word in ("{db}", "{saved}"):
            shutil.copytree(self.top / word.strip("{}"), new)
            return str(new)
        if word in ("{log}", "{backup}"):
            shutil.copy(self.top / ("log.db" if word == "{log}" else "backup"), new)
            return str(new)
        with ConnectorDB() as cdb:
            if "{stream}" in word:
                cdb[name].create()
            if "{device}" in word:
                cdb(f"mara/{name}").create()
        known = {"export": str(ORIGINAL), "url": self.url, "name": name, "device": name, "stream": name}
        return word.format(**known) if "{" in word else word

    def begin(self, name: str, *more: str, unread: bool = False, **variables: str) -> Running:
        """Begin a command of the table."""
        row = ROWS[name]
        typed = row.typed.split(" ") if row.typed else []
        if " " in name:  # its group has an argument before it
            typed = [name.partition(" ")[0], *map(self._made, typed)]
        else:
            typed = [name, *map(self._made, typed)]
        profiles = self.top / f"p{next(self.numbers)}"
        shutil.copy(self.file, profiles)
        variables = {"CONNECTORDB_PROFILE_FILE": str(profiles), **variables}
        return self.forked.begin(*typed, *more, stdin=row.stdin, unread=unread, **variables)

    def all(
        self, *more: str, rows: list[str], **variables: str
    ) -> Iterator[tuple[str, subprocess.CompletedProcess[str]]]:
        """Run many at once; yield what became of each."""
        begun = {name: self.begin(name, *more, **variables) for name in rows}
        for name, running in begun.items():
            with self.subTest(name):
                yield name, running.ended()

    def test_table(self) -> None:
        """Every command is in the table, and has --json if it prints data."""
        found: dict[str, click.Command] = {}
        context = click.Context(commands)
        for name in commands.list_commands(context):
            command = commands.get_command(context, name)
            assert command is not None
            inner = command.commands if isinstance(command, click.Group) else {}
            found |= {f"{name} {each}": below for each, below in inner.items()} or {name: command}
        self.assertEqual(found.keys() - ELSEWHERE, {*ROWS})
        with_json = {name for name, each in found.items() if any("--json" in option.opts for option in each.params)}
        self.assertEqual(with_json - ELSEWHERE, {name for name, row in ROWS.items() if row.json})

    def test_json(self) -> None:
        """What --json prints is JSON, and nothing else is told."""
        for name, done in self.all("--json", rows=[name for name, row in ROWS.items() if row.json]):
            read = ROWS[name].json
            assert read is not None
            self.assertEqual((done.returncode, done.stderr), (0, ""), done)
            read(done.stdout)

    def test_closed_pipe(self) -> None:
        """That nobody reads what is printed is no error."""
        for name, running in {name: self.begin(name, unread=True) for name in ROWS}.items():
            with self.subTest(name):
                done = running.ended()
                self.assertEqual(done.returncode, 0, done)
                self.assertNotRegex(done.stderr, "Error|Errno|Traceback|ignored|[Bb]roken")

    def test_dead_server(self) -> None:
        """A server that is not there is a line on standard error, and a status of 1."""
        self._fails(CONNECTORDB_URL="http://127.0.0.1:9", CONNECTORDB_APIKEY="x")

    def test_wrong_key(self) -> None:
        """So is a key that is none; it is not told."""
        self._fails(CONNECTORDB_URL=self.url, CONNECTORDB_APIKEY="no-key-at-all")

    def _fails(self, **variables: str) -> None:
        for name, done in self.all(rows=[name for name, row in ROWS.items() if row.asks], **variables):
            self.assertEqual(done.returncode, 1, done)
            if not ROWS[name].tells:
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, r"\AError: [^\n]+\n\Z")
            self.assertNotIn("no-key-at-all", done.stdout + done.stderr)

    def test_interrupted(self) -> None:
        """Ctrl-C, while a server has not answered, ends with 130, and nothing is left."""
        peer = Peer(otherwise=silence())
        self.addCleanup(peer.close)
        asking = [name for name, row in ROWS.items() if row.asks]
        variables = {"CONNECTORDB_URL": peer.url, "CONNECTORDB_APIKEY": "x"}
        begun = {name: self.begin(name, **variables) for name in asking}
        there = {*os.listdir(self.top)}
        self.eventually(lambda: len(peer.requests) >= len(asking), "all have asked", SOON)
        for name, running in begun.items():
            running.interrupt()
            with self.subTest(name):
                done = running.ended()
                self.assertEqual(done.returncode, 130, done)
                self.assertNotIn("Traceback", done.stderr)
        self.assertEqual({*os.listdir(self.top)}, there)

    def test_start(self) -> None:
        """A server in the background tells where it is, and is stopped also if nobody reads that."""
        create(self.top / "served", user="mara", password="word")
        self.addCleanup(here, "stop", self.top / "served")
        done = self.forked.begin("start", str(self.top / "served"), "--port", "0", "--json").ended()
        self.assertEqual({*json.loads(done.stdout)}, {"url", "process", "log"}, done)
        done = self.forked.begin("stop", str(self.top / "served"), unread=True).ended()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
