"""A process that forks: the child works, and what is the parent's stays the parent's."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from pathlib import Path

from connectordb import ConnectorDB
from connectordb.server.config import Config, Listen
from tests.support.case import Case
from tests.support.server import run_server

TOP = Path(__file__).parents[2]
CERTIFICATE = TOP / "tests" / "support" / "localhost.pem"

#: The parent has a connection that is kept open, a subscription, and another thread that is in the midst of calls. The children
#: use the connection, subscribe, close it or not, and end in every way that a process can.
PROGRAM = """
import os, sys, threading, warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", "This process .* is multi-threaded, use of fork", DeprecationWarning)
from connectordb import ConnectorDB

def children_work(cdb, stream):
    children = []
    for ending in ("return", "exit", "close and return", "_exit", "raise"):
        child = os.fork()
        if child:
            children.append((child, ending))
            continue
        assert stream[-1]["d"] is not None
        if ending == "return":
            heard = threading.Event()
            stream.subscribe(lambda path, points: heard.set())
            stream.insert("of a child")
            assert heard.wait(10), "a child's own subscription"
        stream.insert(ending)
        if "close" in ending:
            cdb.close()
        if ending == "exit":
            sys.exit(0)
        if ending == "_exit":
            os._exit(0)
        if ending == "raise":
            raise SystemExit(0)
        return None
    return children

def main():
    cdb = ConnectorDB(sys.argv[2], url=sys.argv[1], verify=sys.argv[3])
    stream = cdb["text"]
    stream.insert("of the parent")
    heard, got, stop = [], threading.Event(), threading.Event()

    def callback(path, points):
        heard.extend(point["d"] for point in points)
        if "the last" in heard:
            got.set()

    stream.subscribe(callback)
    lost = []
    cdb.on_disconnect(lost.append)

    # while a thread makes a TLS connection, OpenSSL may hold a lock that a child would find held for ever
    connected = threading.Barrier(4)

    def busy():
        stream[-1]
        connected.wait(10)
        while not stop.is_set():
            stream[-1]

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    connected.wait(10)
    try:
        children = children_work(cdb, stream)
    finally:
        stop.set()
    if children is None:
        return
    for thread in threads:
        thread.join()
    for child, ending in children:
        assert os.waitpid(child, 0)[1] == 0, ending
    assert stream[-1] is not None
    stream.insert("the last")
    assert got.wait(10), heard
    assert not lost, lost
    print(sorted(heard))
    print(cdb.is_connected)
    cdb.close()

main()
"""


@unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
class Forking(Case):
    """A program with requests under way and a subscription, which forks five times."""

    def check(self, config: Config) -> None:
        """Run it against a server of this *config*."""
        with run_server(user="mara", password="secret", config=config) as server:
            with ConnectorDB("mara", "secret", url=server.url, verify=str(CERTIFICATE)) as cdb:
                board = cdb("mara/board")
                board.create(streams={"text": {"schema": {"type": "string"}}})
                key = str(board.apikey)
            script = self.folder() / "script.py"
            script.write_text(PROGRAM)
            done = subprocess.run(
                [sys.executable, str(script), server.url, key, str(CERTIFICATE)],
                env={**os.environ, "PYTHONPATH": str(TOP)},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        said = sorted(["of a child", "return", "exit", "close and return", "_exit", "raise", "the last"])
        self.assertEqual((done.stdout, done.stderr, done.returncode), (f"{said}\nTrue\n", "", 0))

    def test_plain(self) -> None:
        """Nothing of the parent's is lost, and each child is heard once."""
        self.check(Config())

    def test_tls(self) -> None:
        """Nor are the states of TLS mixed."""
        self.check(Config(listen=Listen(tls_cert=str(CERTIFICATE))))
