"""Permissions that change while the server runs."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import requests

from connectordb.exceptions import ConfigurationError
from connectordb.server.config import Config
from connectordb.server.config import Permissions as Section
from connectordb.server.rights.permission_template import render
from connectordb.server.rights.permission_watch import PermissionWatch, follow
from connectordb.server.rights.permissions import DEFAULT, Permissions

from ...support.case import MS, Case
from ...support.server import run_server

NAME = "permissions.json"


class Watching(Case):
    """One file."""

    def setUp(self) -> None:
        super().setUp()
        self.path: Path = self.folder() / NAME
        self.path.write_text(render())
        self.applied: list[Permissions] = []

    def watch(self) -> PermissionWatch:
        """Watch the file until the test ends."""
        watch = PermissionWatch(self.path, period=5 * MS)
        self.addCleanup(watch.close)
        watch.start(self.applied.append)
        return watch

    def say(self, most_users: int) -> None:
        """Save other permissions, as editors do: a new file in the place of the old one."""
        beside = self.path.with_suffix(".new")
        beside.write_text(render().replace('"max_users": 0', f'"max_users": {most_users}'))
        os.replace(beside, self.path)

    def test_saved(self) -> None:
        """What is saved is taken on; the same again is no news."""
        watch = self.watch()
        self.assertEqual(watch.permissions, DEFAULT)
        for most_users in (5, 5, 6):
            self.say(most_users)
            self.eventually(lambda wanted=most_users: watch.permissions.most_users == wanted)
        self.assertEqual([permissions.most_users for permissions in self.applied], [5, 6])

    def test_bad_file(self) -> None:
        """A file that makes no sense, or is not there, leaves all as it was and is told once; the next good one counts."""
        watch = self.watch()
        for spoil in (lambda: self.path.write_text('{"version": 3}'), self.path.unlink):
            with self.assertLogs("connectordb.server.rights.permission_watch", "ERROR") as logged:
                spoil()
                self.eventually(lambda: logged.output)
            self.assertIn("the permissions stay as they were", logged.output[0])
        self.assertEqual((watch.permissions, self.applied), (DEFAULT, []))
        self.say(7)
        self.eventually(lambda: self.applied)

    def test_no_watching(self) -> None:
        """A file that says so is not watched from then on."""
        self.path.write_text(render().replace('"watch": true', '"watch": false'))
        watch = self.watch()
        self.assertFalse(watch._worker.is_running)


class Following(Case):
    """The file that a configuration names."""

    def test_follow(self) -> None:
        """It is applied at once; a bad one is refused; without one nothing happens."""
        folder = self.folder()
        (folder / NAME).write_text(render().replace('"max_users": 0', '"max_users": 3'))
        applied: list[Permissions] = []
        self.assertIsNone(follow(Section(), folder, applied.append))
        for watched in (True, False):
            watch = follow(Section(file=NAME, watch=watched), folder, applied.append)
            assert watch is not None
            self.assertEqual((applied.pop().most_users, watch._worker.is_running), (3, watched))
            watch.close()
        with self.assertRaises(ConfigurationError):
            follow(Section(file="absent.json"), folder, applied.append)
        self.assertEqual(applied, [])


class Serving(Case):
    """A server whose permissions change."""

    def test_join(self) -> None:
        """Nobody may join until the file says so; then whoever does is logged in by cookie."""
        path = self.folder() / NAME
        path.write_text(render())
        ada = {"name": "ada", "email": "ada@x", "password": "secret"}
        config = Config(permissions=Section(file=str(path)))
        often = mock.patch.dict(follow.__kwdefaults__, period=20 * MS)  # which it looks at the file
        with often, run_server(config=config) as server, requests.Session() as http:
            http.headers["Origin"] = server.url

            def join() -> requests.Response:
                return http.post(f"{server.url}/join", json=ada, timeout=10)

            refused = join()
            self.assertEqual((refused.status_code, refused.json()["msg"]), (403, "You must be logged in to add users"))
            path.write_text(render().replace('"join": false', '"join": true', 1))
            self.eventually(lambda: join().status_code == 200)
            self.assertEqual(http.get(f"{server.url}/api/v1/?q=this", timeout=10).text, "ada/user")

    def test_bad_file(self) -> None:
        """A server does not start with a file that makes no sense."""
        path = self.folder() / NAME
        path.write_text("{}")
        config = Config(permissions=Section(file=str(path)))
        fault = "line 1: the version must be 1; there is none"
        with self.assertRaisesRegex(ConfigurationError, fault), run_server(config=config):
            self.fail("it started")
