"""``create``, ``start``, ``stop`` and ``run``."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import unittest
from contextlib import closing
from unittest import mock

from connectordb import AuthenticationError, ConnectorDB, ServerError
from connectordb.server import Server
from connectordb.server import create as create_database

from ..support.command_line import PATIENCE, command, connectordb, environment, here
from ..support.server import DatabaseCase


class Creating(DatabaseCase):
    """A database is made with somebody who can log in."""

    def logs_in(self, name: str, password: str) -> None:
        """Log in as that user, who is an administrator."""
        with Server(self.directory, port=0) as server, ConnectorDB(name, password, url=server.url) as cdb:
            self.assertEqual(cdb.path, f"{name}/user")
            self.assertEqual(cdb.count_users(), 1)

    def test_a_user(self) -> None:
        """The user that was asked for logs in; the password is not shown."""
        done = connectordb("create", self.directory, "--user", "mara:secret:with:colons", "--email", "m@example.org")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("secret", done.stdout)
        self.logs_in("mara", "secret:with:colons")

    def test_password_from_stdin(self) -> None:
        """A password can be kept out of the list of processes."""
        done = here("create", self.directory, "--user", "mara", "--password-stdin", stdin="geheim\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.logs_in("mara", "geheim")

    def test_nobody_named(self) -> None:
        """Without --user an administrator is made, and the password told this once."""
        done = here("create", self.directory)
        name = re.search(r"administrator '(\w+)'", done.stdout)
        password = re.search(r"shown only this once: (\S+)", done.stdout)
        assert name is not None and password is not None
        self.logs_in(name[1], password[1])

    def test_for_tests(self) -> None:
        """--test makes the user test, with the password test."""
        done = here("create", self.directory, "--test")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.logs_in("test", "test")

    @unittest.skipIf(sys.platform == "win32", "quoted in another way there")
    def test_a_folder_with_a_space(self) -> None:
        """What is told to be typed can be typed."""
        where = self.directory.parent / "my data"
        self.assertIn(f"connectordb start '{where}'", here("create", where, "--test").stdout)

    def test_refusals(self) -> None:
        """What cannot be made is refused, and nothing is left behind."""
        for arguments, words, status in (
            ((self.directory.parent,), "existing directory", 1),
            ((self.directory, "--user", "mara"), "no password", 2),
            ((self.directory, "--user", ":hidden"), "no name", 2),
            ((self.directory, "--user", "admin:x"), "reserved", 1),
            ((self.directory, "--user", "a b:x"), "cannot be the name", 1),
            ((self.directory, "--user", "mara:x", "--email", "nobody"), "no email address", 1),
            ((self.directory, "--test", "--user", "mara:x"), "leave out", 2),
            ((self.directory, "--email", "m@example.org"), "goes with --user", 2),
            ((self.directory, "--password-stdin"), "--user NAME", 2),
            ((self.directory, "--user", "mara", "--password-stdin"), "first line of standard input is empty", 2),
        ):
            with self.subTest(words):
                done = here("create", *arguments)
                self.assertIn(words, done.stderr)
                self.assertNotIn("hidden", done.stderr)
                self.assertEqual(done.returncode, status)
                self.assertFalse(self.directory.exists())


class Running(DatabaseCase):
    """A server is started, found, and stopped."""

    def setUp(self) -> None:
        super().setUp()
        create_database(self.directory, test=True)

    def test_start_and_stop(self) -> None:
        """What was started in the background is there until it is stopped, and may be started again."""
        for run in (connectordb, here):
            started = run("start", self.directory, "--port", 0)
            self.addCleanup(here, "stop", self.directory)
            url = started.stdout.split()[2]
            with ConnectorDB("test", "test", url=url) as cdb:
                cdb.ping()
            again = here("start", self.directory, "--port", 0)
            self.assertEqual(again.returncode, 1)
            self.assertRegex(again.stderr, rf"runs on .* already, at {url} \(process \d+\)")
            self.assertEqual(run("stop", self.directory).stdout, "Stopped.\n")
            self.assertIn("no server runs", here("stop", self.directory).stderr)

    def test_log(self) -> None:
        """What goes wrong in a server in the background is in its log, which is for its owner only."""
        started = here("start", self.directory, "--port", 0)
        self.addCleanup(here, "stop", self.directory)
        with closing(sqlite3.connect(self.directory / "connectordb.db")) as damaged:
            damaged.execute("DROP TABLE streams")
        with ConnectorDB("test", "test", url=started.stdout.split()[2]) as cdb:
            with self.assertRaises(ServerError) as caught:
                _ = cdb("test/user/x").data
        log = self.directory / "server.log"
        self.assertIn(caught.exception.ref, log.read_text())
        if sys.platform != "win32":
            self.assertEqual(log.stat().st_mode & 0o777, 0o600)

    def test_in_the_foreground(self) -> None:
        """`run` listens until Ctrl-C or SIGTERM, and then ends well."""
        signals = [signal.SIGTERM] if sys.platform == "win32" else [signal.SIGINT, signal.SIGTERM]
        for number in signals:
            with (
                self.subTest(number),
                subprocess.Popen(
                    command("run", self.directory, "--port", 0),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment(),
                ) as process,
            ):
                assert process.stdout is not None
                url = process.stdout.readline().split()[-1]
                with self.assertRaises(AuthenticationError):
                    ConnectorDB("test", "wrong", url=url)
                process.send_signal(number)
                told, complaints = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, told), (0, "Stopped.\n"))
                self.assertRegex(complaints, r"INFO .*: 401 'Incorrect Password' \(ref ")
                self.assertNotRegex(complaints, "WARNING|ERROR|Traceback")

    def test_port_in_use(self) -> None:
        """A port that is taken is told, by `run` and by `start`."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            for name in ("run", "start"):
                with self.subTest(name):
                    done = here(name, self.directory, "--port", port)
                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stderr, rf"\AError: .*{port}.*in use; give another port")

    def test_running_already(self) -> None:
        """Whose port is taken by the server of this very folder is told that."""
        with Server(self.directory, port=0) as server:
            done = here("run", self.directory, "--port", server.url.rpartition(":")[2])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"in use by the server with process id {os.getpid()}; stop it first")

    def test_only_the_log_is_in_the_log(self) -> None:
        """A log of JSON is JSON to the last line."""
        (self.directory / "connectordb.toml").write_text('[log]\nformat = "json"\n')
        here("start", self.directory, "--port", 0)
        self.assertEqual(here("stop", self.directory).stdout, "Stopped.\n")
        for line in (self.directory / "server.log").read_text().splitlines():
            json.loads(line)

    def test_start_interrupted(self) -> None:
        """Ctrl-C while a server is awaited ends that server, too."""
        with mock.patch("connectordb.cli.database._listening", side_effect=KeyboardInterrupt) as awaited:
            self.assertNotEqual(here("start", self.directory, "--port", 0).returncode, 0)
        process = awaited.call_args.args[1]
        process.wait(PATIENCE)

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no device that is always full")
    def test_no_space_for_the_log(self) -> None:
        """A server that could not even write why it ended is told with how to see it."""
        (self.directory / "server.log").touch()
        with (
            Server(self.directory, port=0),
            mock.patch("connectordb.cli.database.running", return_value=None),
            mock.patch("connectordb.cli.database._appended", return_value=open("/dev/full", "ab", buffering=0)),
        ):
            done = here("start", self.directory, "--port", 0)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"ended at once, and its log .* says nothing; `connectordb run .*` shows why")

    def test_somebody_elses(self) -> None:
        """A server of another user is not stopped, and that is told."""
        with Server(self.directory, port=0), mock.patch("os.kill", side_effect=PermissionError(1, "not permitted")):
            self.assertIn("belongs to somebody else; stop it as that user", here("stop", self.directory).stderr)

    def test_no_database(self) -> None:
        """A folder that is no database is told, with how to make one."""
        for name in ("run", "start", "stop"):
            with self.subTest(name):
                done = here(name, self.directory.parent, *(("--port", 0) if name != "stop" else ()))
                self.assertEqual(done.returncode, 1)
                self.assertIn("connectordb create", done.stderr)

    @unittest.skipIf(sys.platform == "win32", "no SIGKILL there")
    def test_after_a_kill(self) -> None:
        """A server that was killed does not stop the next one."""
        started = here("start", self.directory, "--port", 0)
        pid = int(started.stdout.partition("(process ")[2].partition(";")[0])
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        again = here("start", self.directory, "--port", 0)
        self.addCleanup(here, "stop", self.directory)
        self.assertEqual((again.returncode, again.stderr), (0, ""))
