"""The server as an object."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from unittest import mock

import requests

from connectordb.exceptions import ClosedError, DatabaseInUse, StorageError
from connectordb.server import Server, create, running
from connectordb.server import server as module
from connectordb.server.config import Config, Listen

from ..support.case import MS, SOON, Case
from ..support.server import DatabaseCase, run_server

TOP = Path(__file__).parent.parent.parent

#: Others may listen in.
OPEN = Config(listen=Listen(unencrypted=True))


def ping(server: Server) -> str:
    """Return what an anonymous caller is called."""
    with requests.Session() as http:
        http.trust_env = False
        return http.get(f"{server.url}/api/v1/?q=this", timeout=SOON).text


class ServerTests(DatabaseCase):
    """Starting and closing."""

    def database(self) -> Path:
        """Return a new database."""
        directory = self.folder() / "db"
        create(directory, test=True)
        return directory

    def test_start_and_close(self) -> None:
        """Both may be called twice; a closed server stays closed, and says so."""
        server = Server(self.database())
        with self.assertRaises(ClosedError):
            _ = server.url
        server.start()
        server.start()
        self.assertEqual(ping(server), "nobody")
        self.assertIn(server.url, repr(server))
        server.close()
        server.close()
        with self.assertRaises(ClosedError):
            server.start()

    def test_close_before_start(self) -> None:
        """What was never started can be closed."""
        Server(self.database()).close()

    def test_announced(self) -> None:
        """While it runs others find it; the folder is nobody else's."""
        directory = self.database()
        with Server(directory) as server:
            found = running(directory)
            assert found is not None
            self.assertEqual((found.pid, found.url), (os.getpid(), server.url))
            with self.assertRaisesRegex(DatabaseInUse, str(os.getpid())):
                Server(directory).start()
            self.assertEqual(ping(server), "nobody")
        self.assertIsNone(running(directory))
        with Server(directory) as server:
            self.assertEqual(ping(server), "nobody")

    def test_interrupted(self) -> None:
        """Ctrl-C at any moment of starting leaves nothing open, at once; it may be started again."""
        directory = self.database()
        threads = ("connectordb-storage-writer", "connectordb-storage-reader-1", "connectordb-server")
        start = threading.Thread.start
        for name in threads:
            for begins in (False, True):

                def interrupted(thread: threading.Thread, name: str = name, begins: bool = begins) -> None:
                    if begins or thread.name != name:
                        start(thread)
                    if thread.name == name:
                        raise KeyboardInterrupt

                with self.subTest(name, begins=begins):
                    with (
                        mock.patch.object(threading.Thread, "start", interrupted),
                        self.assertRaises(KeyboardInterrupt),
                    ):
                        Server(directory).start()
                    with Server(directory) as server:
                        self.assertEqual(ping(server), "nobody")

    def test_interrupted_early(self) -> None:
        """So does Ctrl-C while the thread has begun and has no loop yet that it could be told of."""
        directory, begun, waited = self.database(), threading.Event(), threading.Event()
        run = asyncio.run

        def slow(work: Coroutine[Any, Any, None]) -> None:
            begun.set()
            waited.wait(SOON)
            run(work)

        class Interrupted(Future):  # type: ignore[type-arg]
            def result(self, timeout: float | None = None) -> None:
                begun.wait(SOON)
                threading.Timer(50 * MS, waited.set).start()
                raise KeyboardInterrupt

        with mock.patch.object(asyncio, "run", slow), mock.patch.object(module, "Future", Interrupted):
            with self.assertRaises(KeyboardInterrupt):
                Server(directory).start()
        with Server(directory) as server:
            self.assertEqual(ping(server), "nobody")

    def test_port_in_use(self) -> None:
        """A port that is taken is told, and the folder is free again."""
        directory = self.database()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(OSError, rf"{port}: [\w ]*in use; give another port"):
                Server(directory, port=port).start()
        with Server(directory, port=port) as server:
            self.assertTrue(server.url.endswith(f":{port}"))

    def test_bad_addresses(self) -> None:
        """An address that is none of this machine's is told."""
        for host in ("192.0.2.1", "nosuch.invalid"):
            with self.subTest(host), self.assertRaisesRegex(OSError, f"{host}.*; give an address of this machine"):
                Server(self.database(), host=host, config=OPEN).start()

    def test_no_database(self) -> None:
        """A folder that is no database is told."""
        with self.assertRaisesRegex(StorageError, "no database folder"):
            Server(self.folder()).start()
        with self.assertRaisesRegex(StorageError, "xxx"):  # one that cannot even be looked at
            Server(self.folder() / ("x" * 1000)).start()

    @unittest.skipUnless(socket.has_ipv6, "no IPv6")
    def test_ipv6(self) -> None:
        """The other loopback address is as good."""
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            raise unittest.SkipTest("no IPv6 loopback here") from error
        with run_server(host="::1") as server:
            self.assertTrue(server.url.startswith("http://[::1]:"))
            self.assertEqual(ping(server), "nobody")

    def test_idle_clients_do_not_hold_it(self) -> None:
        """Closing does not wait for connections on which nothing happens."""
        with run_server() as server, requests.Session() as http:
            http.trust_env = False
            http.get(f"{server.url}/api/v1/?q=this", timeout=SOON)
            host, port = server.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as silent:
                silent.sendall(b"GET /api/v1/?q=this HTTP/1.1\r\n")
                begin = time.monotonic()
                server.close()
                self.assertLess(time.monotonic() - begin, SOON / 2)

    def test_finishes_what_it_began(self) -> None:
        """Requests under way when it closes are answered, and what they stored is there."""
        directory = self.database()
        server = Server(directory)
        server.start()
        answers: list[int] = []

        def insert() -> None:
            with requests.Session() as http:
                http.trust_env = False
                http.auth = ("test", "test")
                try:
                    for _ in range(1000):
                        answer = http.put(f"{server.url}/api/v1/crud/test/user/s/data", json=[{"d": 1}], timeout=SOON)
                        answers.append(answer.status_code)
                except requests.RequestException:
                    return

        with requests.Session() as http:
            http.trust_env = False
            http.post(f"{server.url}/api/v1/crud/test/user/s", json={}, auth=("test", "test"), timeout=SOON)
        threads = [threading.Thread(target=insert) for _ in range(3)]
        for thread in threads:
            thread.start()
        self.eventually(lambda: len(answers) > 5)
        server.close()
        for thread in threads:
            thread.join(SOON)
        with Server(directory) as again, requests.Session() as http:
            http.trust_env = False
            url = f"{again.url}/api/v1/crud/test/user/s/data?q=length"
            length = int(http.get(url, auth=("test", "test"), timeout=SOON).text)
        self.assertGreaterEqual(length, answers.count(200))
        self.assertLessEqual(set(answers), {200, 503})


class RunTests(Case):
    """Serving in the foreground."""

    def test_run_ends_with_close(self) -> None:
        """In another thread it serves until somebody closes it."""
        directory = self.folder() / "db"
        create(directory, test=True)
        server = Server(directory)
        thread = threading.Thread(target=server.run)
        thread.start()
        self.eventually(lambda: running(directory) is not None and server._url)
        self.assertEqual(ping(server), "nobody")
        server.close()
        thread.join(SOON)
        self.assertFalse(thread.is_alive())

    @unittest.skipIf(sys.platform == "win32", "signals are different there")
    def test_signals(self) -> None:
        """Ctrl-C and SIGTERM end it well."""
        directory = self.folder() / "db"
        create(directory, test=True)
        program = (
            f"from connectordb.server import Server; Server({str(directory)!r}).run(lambda url: print(url, flush=True))"
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            with (
                self.subTest(number),
                subprocess.Popen(
                    [sys.executable, "-W", "error", "-c", program],
                    cwd=TOP,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                ) as process,
            ):
                assert process.stdout is not None
                self.assertTrue(process.stdout.readline().startswith("http://"))
                process.send_signal(number)
                _, complaints = process.communicate(timeout=SOON)
                self.assertEqual((process.returncode, complaints), (0, ""))
        self.assertIsNone(running(directory))


#: Makes a stream of numbers, inserts, reads, and tells which of the modules that it is told are loaded then.
_USED = """
import json, sys, urllib.request
from connectordb.server import Server, create

def ask(method, path, body=None):
    request = urllib.request.Request(server.url + "/api/v1/crud/test/" + path, None if body is None else json.dumps(body).encode(), method=method)
    request.add_header("Authorization", "Basic dGVzdDp0ZXN0")
    return urllib.request.urlopen(request, timeout=10).read()

create(sys.argv[1], test=True)
with Server(sys.argv[1], port=0) as server:
    ask("POST", "user/temperature", {"schema": '{"type": "number"}'})
    ask("POST", "user/temperature/data", [{"t": 1, "d": 20.5}])
    assert json.loads(ask("GET", "user/temperature/data?t1=0.5")) == [{"t": 1, "d": 20.5}]
print([name for name in sys.argv[2:] if name in sys.modules])
"""


class DoorTests(Case):
    """Entering the room."""

    def test_light(self) -> None:
        """A server that checks numbers and answers reads has not loaded what only schemas, scripts, imports and metrics need."""
        heavy = "jsonschema fastjsonschema re2 bcrypt msgspec connectordb.pipescript prometheus_client numpy pandas websocket".split()
        command = [sys.executable, "-c", _USED, str(self.folder() / "database"), *heavy]
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=SOON)
        self.assertEqual((done.stdout.strip(), done.stderr), ("[]", ""))

    def test_without_aiohttp(self) -> None:
        """Without aiohttp the import says what to install."""
        program = "import sys; sys.modules['aiohttp'] = None; import connectordb.server"
        done = subprocess.run([sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, timeout=SOON)
        self.assertIn("ImportError: the embedded server needs aiohttp", done.stderr)
        self.assertIn("pip install 'ConnectorDB[server]'", done.stderr)
