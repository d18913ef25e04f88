"""Logging in, and everything from there."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading

from connectordb import (
    CONNECTORDB_URL,
    AuthenticationError,
    ClosedError,
    ConnectionFailed,
    ConnectorDB,
    Device,
    LocalProtocolError,
    ServerError,
    TimedOut,
)
from tests.support.case import SOON, Case
from tests.support.target import ADMINISTRATOR, PASSWORD, TargetCase, new_name
from tests.support.wire import Peer, Tree, answer, silence


class LoggingIn(TargetCase):
    """By password, by key, or not at all."""

    def test_password(self) -> None:
        """A name and a password, or an email address and the password; the path is what the server says."""
        for name in (self.user_name, self.user_name.upper(), f"{self.user_name}@example.org"):
            with self.connect(name, "secret") as cdb:
                self.assertEqual((cdb.path, cdb.name), (f"{self.user_name}/user", "user"))
                self.assertEqual((cdb.apikey, cdb.ping()), (self.user_key, cdb.path))

    def test_key(self) -> None:
        """A key is that of a device."""
        cdb = self.connect(self.device_key)
        self.assertEqual((cdb.path, cdb.apikey), (f"{self.user_name}/own", self.device_key))

    def test_nobody(self) -> None:
        """Without credentials the caller is nobody, who sees nothing."""
        cdb = self.connect()
        self.assertEqual((cdb.path, cdb.ping(), cdb.name), ("nobody",) * 3)
        self.assertFalse(cdb(self.user_name).exists())
        with self.assertRaisesRegex(LocalProtocolError, "without logging in"):
            cdb["temperature"]

    def test_refused(self) -> None:
        """Wrong credentials are told when logging in, without the secret."""
        for credentials in (
            (self.user_name, "hidden-word"),
            ("hidden-word",),
            ("nosuchuser", "hidden-word"),
        ):
            with self.subTest(credentials), self.assertRaisesRegex(AuthenticationError, "did not accept") as caught:
                self.connect(*credentials)
            self.assertEqual(caught.exception.status, 401)
            if len(credentials) == 1 or credentials[0] != "hidden-word":
                self.assertNotIn("hidden-word", f"{caught.exception} {caught.exception!r} {caught.exception.value}")

    def test_away(self) -> None:
        """Where there is no server the constructor says so; with connect=False the first use does."""
        self.without_pauses()
        peer = Peer()
        peer.close()
        with self.assertRaisesRegex(ConnectionFailed, "is the server running"):
            ConnectorDB("key", url=peer.url)
        with ConnectorDB("key", url=peer.url, connect=False) as cdb:
            for use in (cdb.ping, lambda: cdb.path, lambda: cdb["x"], lambda: cdb.data, cdb.exists):
                with self.assertRaises(ConnectionFailed):
                    use()

    def test_comes_up_later(self) -> None:
        """With wait= a server may come up after its clients."""
        with self.connect(self.device_key, wait=10) as cdb:
            self.assertEqual(cdb.ping(), cdb.path)

    def test_addresses(self) -> None:
        """A slash at the end, and the API's root, may be there or not."""
        for ending in ("/", "/api/v1", "/api/v1/"):
            with ConnectorDB(self.device_key, url=self.url + ending) as cdb:
                self.assertEqual(cdb.url, self.url.rstrip("/"))
                self.assertEqual(cdb.db.baseurl, cdb.url)
                self.assertTrue(cdb.exists())

    def test_close(self) -> None:
        """Closed is closed, also for the objects that came from it, and twice."""
        with self.connect(self.device_key) as cdb:
            stream = cdb["x"]
        cdb.close()
        for use in (cdb.ping, stream.exists, lambda: stream.insert(1), lambda: cdb.db.get(""), lambda: list(stream)):
            with self.assertRaises(ClosedError):
                use()

    def test_no_secret_in_the_log(self) -> None:
        """Logging at the lowest level shows no password and no key."""
        with self.assertLogs(level=logging.DEBUG) as logs:
            with self.connect(self.user_name, "secret") as cdb:
                key = cdb.apikey
                cdb.user.devices()
        text = "\n".join(logs.output)
        self.assertNotIn("secret", text)
        self.assertNotIn(str(key), text)


class Objects(TargetCase):
    """The device that is logged in, and requests of any kind."""

    def test_is_a_device(self) -> None:
        """The connection is the device that is logged in."""
        cdb = self.device()
        self.assertIsInstance(cdb, Device)
        self.assertEqual(cdb.user.path, self.user_name)
        stream = cdb[new_name()]
        stream.create()
        self.assertIn(stream, cdb.streams())
        self.assertEqual(stream.device, cdb)
        cdb.nickname = "mine"
        self.assertEqual(self.person()(cdb.path).nickname, "mine")

    def test_reset_apikey(self) -> None:
        """The old key ends, and the connection goes on with the new one."""
        device = self.person().user[new_name()]
        device.create()
        old = str(device.apikey)
        cdb = self.connect(old)
        new = cdb.reset_apikey()
        self.assertNotEqual(new, old)
        self.assertEqual((cdb.apikey, cdb.ping()), (new, device.path))
        with self.assertRaises(AuthenticationError):
            self.connect(old)
        # the same by setting it, and by way of another object for the same device
        cdb.set({"apikey": f"chosen-{new}"})
        self.assertEqual(cdb.ping(), device.path)
        again = cdb(device.path).reset_apikey()
        self.assertEqual(self.connect(again).ping(), cdb.ping())

    def test_reset_by_another(self) -> None:
        """Somebody resets the key of a login with a password: subscriptions log in again as requests do."""
        cdb = self.connect(self.user_name, "secret")
        stream, heard = cdb["s"], queue.SimpleQueue[object]()
        stream.create({})
        self.person()(cdb.path).reset_apikey()
        stream.subscribe(lambda path, points: heard.put(points[-1]["d"]))
        stream.insert(1)
        self.assertEqual(heard.get(timeout=SOON), 1)

    def test_request(self) -> None:
        """Any endpoint can be reached, with the same errors."""
        cdb = self.person()
        self.assertEqual(cdb.request("GET", "/", {"q": "this"}).text, cdb.path)
        self.assertEqual(cdb.request("get", f"crud/{self.user_name}").json()["name"], self.user_name)
        changed = cdb.request("PUT", f"crud/{self.user_name}", data={"nickname": "M"})
        self.assertEqual(changed.json()["nickname"], "M")
        with self.assertRaises(AuthenticationError):
            cdb.request("GET", "crud/nosuchuser")
        for bad, said in (
            (("FETCH", "/"), "no verb"),
            (("GET", "/?q=this"), "goes into params"),
            (("GET", 5), "no path"),
        ):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, said):
                cdb.request(*bad)  # type: ignore[arg-type]

    def test_threads_refused(self) -> None:
        """A number of threads that is none is refused at once."""
        for bad in (-1, 1.5, True, None):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "threads="):
                ConnectorDB(connect=False, threads=bad)  # type: ignore[arg-type]

    def test_request_like_any_call(self) -> None:
        """A request to any endpoint is tried again, measured and bounded as all others are."""
        self.without_pauses()
        busy = answer({"code": 503, "msg": "busy", "ref": "r"}, 503, {"Retry-After": "0"})
        peer = Peer(answer("mara/user"), busy, answer("fine"), *[busy] * 3, silence())
        self.addCleanup(peer.close)
        with ConnectorDB("key", url=peer.url) as cdb:
            with cdb.measure() as stats:
                self.assertEqual(cdb.request("GET", "any/thing").text, "fine")
            self.assertEqual((stats.calls, stats.requests, stats.retries), (1, 2, 1))
            with self.assertRaises(ServerError) as caught:
                cdb.request("GET", "any/thing")
            refused = caught.exception
            self.assertEqual((refused.status, refused.attempts, refused.stats.requests, refused.ref), (503, 3, 3, "r"))
            with self.assertRaises(TimedOut), cdb.options(timeout=0.1):
                cdb.request("GET", "any/thing")
            self.assertEqual((cdb.stats.failures, cdb.stats.retries), (2, 3))

    def test_threads(self) -> None:
        """Many threads may use one connection."""
        cdb = self.device()
        stream = cdb[new_name()]
        stream.create({"type": "integer"})
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for step in range(5):
                    stream.insert(number * 10 + step)
                    cdb.ping()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(failures, [])
        self.assertEqual(sorted(stream[:].d()), sorted(n * 10 + s for n in range(8) for s in range(5)))

    def test_fork(self) -> None:
        """After a fork both processes go on."""
        stream = self.stream()
        stream.insert("parent")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                stream.insert("child")
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        stream.insert("parent again")
        self.assertEqual(stream[:].d(), ["parent", "child", "parent again"])


class Arguments(Case):
    """What is refused before anything is sent."""

    def test_urls(self) -> None:
        """A URL that is none says what was given and what is expected."""
        for bad in ("", "http://", "not a url", "ftp://x", None, 5):
            with (
                self.subTest(bad),
                self.assertRaisesRegex(ValueError, "expected something like 'http://localhost:3124'"),
            ):
                ConnectorDB("key", url=bad)  # type: ignore[arg-type]

    def test_default(self) -> None:
        """The default is the server on this machine."""
        with ConnectorDB(connect=False) as cdb:
            self.assertEqual(cdb.url, CONNECTORDB_URL)

    def test_plain_http(self) -> None:
        """Without a scheme it is HTTPS, and where plain HTTP is spoken the error says so."""
        self.without_pauses()
        peer = Peer(otherwise=answer("bad request", 400))
        self.addCleanup(peer.close)
        with self.assertRaisesRegex(ConnectionFailed, "speaks plain HTTP there"):
            ConnectorDB("key", url=f"localhost:{peer.port}")

    def test_path_before_the_root(self) -> None:
        """A path before the API's root is kept."""
        peer = Peer(otherwise=Tree().step)
        self.addCleanup(peer.close)
        with ConnectorDB("key", url=f"{peer.url}/behind/a/proxy/"):
            self.assertEqual(peer.requests[0].path, "/behind/a/proxy/api/v1/")

    def test_import_is_light(self) -> None:
        """Using REST loads no websocket library, no database and no schema library."""
        peer = Peer(otherwise=Tree().step)
        self.addCleanup(peer.close)
        program = (
            "import sys, connectordb\n"
            f"cdb = connectordb.ConnectorDB('key', url={peer.url!r})\n"
            "stream = cdb('mara/user/x'); stream.insert(5); len(stream); stream[:]; cdb.close()\n"
            "print([name for name in ('websocket', 'apsw', 'jsonschema', 'fastjsonschema', 'aiohttp') if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.stdout.strip(), done.stderr), ("[]", ""))


class Administrator(TargetCase):
    """The account that the tests are given."""

    def test_password(self) -> None:
        """It logs in with its password."""
        self.assertEqual(self.connect(ADMINISTRATOR, PASSWORD).path, f"{ADMINISTRATOR}/user")
