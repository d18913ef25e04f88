"""Connections, and what came from them, in other processes."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import ssl
import subprocess
import sys
from typing import Any

from connectordb import ConnectorDB, Device, Stream, User
from connectordb.logger import Logger
from tests.support.case import Case
from tests.support.wire import Peer, Tree

TOP = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))

#: Runs in a process of its own: a pool's workers are handed streams, and the connection itself.
POOL = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from connectordb import ConnectorDB

def there(thing):
    return thing.exists(), type(thing).__name__, thing.path

def main():
    with ConnectorDB("mara", "secret", url=sys.argv[2]) as cdb:
        start = multiprocessing.get_context(sys.argv[1])
        with ProcessPoolExecutor(2, mp_context=start) as pool:
            for _ in range(3):
                told = set(pool.map(there, [cdb("mara/lamp/light"), cdb("mara"), cdb("mara/user"), cdb] * 5))
                print(*sorted(told))
            back = pool.submit(abs_of, cdb("mara/lamp/light")).result()
        print(back.exists(), back == cdb("mara/lamp/light"), back._session is cdb._session)

def abs_of(stream):
    return stream

if __name__ == "__main__":
    main()
"""


class PicklingCase(Case):
    """A scripted server."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer(otherwise=Tree(**{"mara/lamp/light": {"name": "light"}}).step)
        self.addCleanup(self.peer.close)

    def connect(self, *credentials: str, **options: Any) -> ConnectorDB:
        """Return a connection that ends with the test."""
        cdb = ConnectorDB(*(credentials or ("key",)), url=self.peer.url, connect=False, **options)
        self.addCleanup(cdb.close)
        return cdb


class Values(PicklingCase):
    """What travels is what it is, where, and the connection's settings."""

    def test_objects(self) -> None:
        """Users, devices, streams and downlinks come back equal, without a request and with the connection that is there."""
        cdb = self.connect()
        for path, kind in (("a", User), ("a/b", Device), ("a/b/c", Stream), ("a/b/c/downlink", Stream)):
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
                found = pickle.loads(pickle.dumps(cdb(path), protocol))
                self.assertEqual((type(found), found.path, found), (kind, path, cdb(path)))
                self.assertIs(found._session, cdb._session)
        self.assertEqual(copy.deepcopy([cdb("a")]), [cdb("a")])
        self.assertEqual(self.peer.requests, [])

    def test_connection(self) -> None:
        """A connection comes back with its settings; logged in as it was."""
        cdb = self.connect(timeout=7)
        found = pickle.loads(pickle.dumps(cdb))
        self.assertEqual(dict(found.settings), dict(cdb.settings))
        self.assertEqual((found.url, found.ping(), found["x"].path), (cdb.url, "mara/user", "mara/user/x"))

    def test_closed(self) -> None:
        """What comes out of a pickle after the connection was closed has one of its own, shared by all that come so."""
        cdb = self.connect(timeout=7)
        pickled = pickle.dumps(cdb("mara")), pickle.dumps(cdb("mara/lamp/light"))
        cdb.close()
        user, stream = map(pickle.loads, pickled)
        self.assertTrue(user.exists() and stream.exists())
        self.assertIs(user._session, stream._session)
        self.assertIs(user._session, pickle.loads(pickled[0])._session)
        self.assertEqual(self.peer.connections, 1)
        self.assertEqual(user._session.options["timeout"], 7)
        user._session.close()

    def test_what_is_in_it(self) -> None:
        """After logging in it is the key that travels and not the password; never what was fetched."""
        cdb = self.connect("mara", "hidden word")
        self.assertIn(b"hidden word", pickle.dumps(cdb))
        self.assertEqual(cdb("mara").email, "m@x.org")
        user = cdb("mara")
        user.refresh()
        pickled = pickle.dumps(user)
        self.assertNotIn(b"hidden word", pickled)
        self.assertIn(b"key-of-user", pickled)
        self.assertNotIn(b"m@x.org", pickled)

    def test_of_a_logger(self) -> None:
        """A Logger's connection travels as one like any other, and its file stays where it is."""
        with Logger(self.folder() / "cache.db", apikey="key") as log:
            log.serverurl = self.peer.url
            found = pickle.loads(pickle.dumps(log.connectordb))
            self.assertIs(type(found), ConnectorDB)
            self.assertEqual(found.ping(), "mara/user")

    def test_bound_to_its_process(self) -> None:
        """A context of TLS does not travel, and what does is said."""
        cdb = self.connect(ssl_context=ssl.create_default_context())
        with self.assertRaisesRegex(pickle.PicklingError, "pass verify= and cert="):
            pickle.dumps(cdb("mara"))

    def test_size(self) -> None:
        """A thousand streams carry the settings once."""
        cdb = self.connect()
        one, many = (len(pickle.dumps([cdb(f"a/b/c{n}") for n in range(count)])) for count in (1, 1001))
        self.assertLess((many - one) / 1000, 64)


class Pools(PicklingCase):
    """Workers of a pool, however they are started."""

    def test_pools(self) -> None:
        """They connect for themselves, once each, whatever they are handed; the parent's connection stays the parent's."""
        script = self.folder() / "script.py"
        script.write_text(POOL)
        for method in multiprocessing.get_all_start_methods():
            with self.subTest(method):
                before, asked = self.peer.connections, len(self.peer.requests)
                done = subprocess.run(
                    [sys.executable, "-W", "error", str(script), method, self.peer.url],
                    env={**os.environ, "PYTHONPATH": TOP},
                    capture_output=True,
                    text=True,
                    timeout=120,
                    check=False,
                )
                line = (
                    "(True, 'ConnectorDB', 'mara/user') (True, 'Device', 'mara/user') (True, 'Stream', 'mara/lamp/light') "
                    "(True, 'User', 'mara')\n"
                )
                self.assertEqual((done.stdout, done.stderr), (3 * line + "True True True\n", ""))
                # one of the parent, and one of each worker that had something to do
                self.assertIn(self.peer.connections - before, (2, 3))
                connections = {request.connection for request in self.peer.requests[asked:]}
                self.assertLessEqual(len(connections), 3)
                sent = [request.headers.get("authorization", "") for request in self.peer.requests[asked:]]
                self.assertEqual(
                    len([header for header in sent if header == sent[0]]), 2
                )  # the password, at the login only
