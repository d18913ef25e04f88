"""The programs in ``examples/`` run, as programs, against a server, and do what they say."""

from __future__ import annotations

import configparser
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from connectordb import ConnectorDB, DownlinkRefused
from connectordb.logger import Logger
from tests.support.case import SOON, Case
from tests.support.server import run_server

EXAMPLES = Path(__file__).parent.parent / "examples"


class ExampleCase(Case):
    """A case with a server, an administrator, and a device with a key."""

    def setUp(self) -> None:
        super().setUp()
        server = run_server(user="mara", password="secret")
        self.url = server.__enter__().url
        self.addCleanup(server.__exit__, None, None, None)
        self.cdb = ConnectorDB("mara", "secret", url=self.url)
        self.addCleanup(self.cdb.close)
        self.device = self.cdb("mara/board")
        self.device.create()
        self.here = self.folder()

    def start(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the example *name* in a folder of the test's; it ends with the test."""
        process = subprocess.Popen(
            [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
            cwd=self.here,
            env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "PYTHONUNBUFFERED": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def finish(self, process: subprocess.Popen[str]) -> str:
        """Wait for *process*, which must end well; return what it said."""
        said, _ = process.communicate(timeout=3 * SOON)
        self.assertEqual(process.returncode, 0, said)
        return said

    def waiting(self, file: str) -> int:
        """Return how many points wait in the file."""
        if not Path(file).exists():
            return 0
        with Logger(file) as logger:
            return len(logger)


class SummariesTests(ExampleCase):
    """``summaries.py`` hands streams to a pool's workers."""

    def test_every_way(self) -> None:
        """However the workers are started, they find their way to the server."""
        with ConnectorDB(self.device.apikey, url=self.url) as board:
            for name, values in (("a", (1, 2, 6)), ("b", ())):
                board[name].create({"type": "number"})
                board[name].insert_array([{"t": n + 1.0, "d": value} for n, value in enumerate(values)])
        settings = {"CONNECTORDB_URL": self.url, "CONNECTORDB_APIKEY": str(self.device.apikey)}
        running = [
            self.start("summaries.py", "--method", method, **settings)
            for method in multiprocessing.get_all_start_methods()
        ]
        for process in running:
            self.assertEqual(
                self.finish(process), "mara/board/a: 3 points, 3 on average\nmara/board/b: 0 points, 0 on average\n"
            )


@unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
class GatewayTests(ExampleCase):
    """``gateway.py`` forks before it serves."""

    def test_serves(self) -> None:
        """Each child inserts, and SIGTERM ends them with their parent."""
        board = ConnectorDB(self.device.apikey, url=self.url)
        self.addCleanup(board.close)
        board["temperature"].create({"type": "number"})
        process = self.start("gateway.py", CONNECTORDB_URL=self.url, CONNECTORDB_APIKEY=str(self.device.apikey))
        assert process.stdout is not None
        said = process.stdout.readline()
        self.assertTrue(said.startswith("mara/board listens on port "), said)
        port, children = int(said.rpartition(" ")[2]), set()
        for number in range(4):
            # two at a time, so that both children have one
            with (
                socket.create_connection(("127.0.0.1", port)) as one,
                socket.create_connection(("127.0.0.1", port)) as two,
            ):
                for connection in (one, two):
                    connection.sendall(f"temperature {number}\nnothing {number}\ntemperature x\n".encode())
                for connection in (one, two):
                    with connection.makefile() as answers:
                        lines = [answers.readline().split(maxsplit=1) for _ in range(3)]
                    self.assertEqual(lines[0][1], "ok\n")
                    self.assertIn("not found", lines[1][1])
                    self.assertIn("could not convert", lines[2][1])
                    children.add(lines[0][0])
        self.assertEqual(sorted(board["temperature"][:].d()), [0, 0, 1, 1, 2, 2, 3, 3])
        self.assertEqual(len(children), 2)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process), "")

    def test_killed(self) -> None:
        """If the parent is killed, its children end by themselves."""
        process = self.start("gateway.py", CONNECTORDB_URL=self.url, CONNECTORDB_APIKEY=str(self.device.apikey))
        assert process.stdout is not None
        self.assertIn("listens", process.stdout.readline())
        process.kill()
        # what they write to stays open as long as one of them is there
        self.assertEqual(process.communicate(timeout=SOON)[0], "")


class SensorsTests(ExampleCase):
    """``sensors.py`` logs into its file, and the server gets everything once."""

    def test_logs_and_syncs(self) -> None:
        """All samples of both sensors are on the server, in order; a second run needs neither key nor address."""
        key = self.device.apikey
        first = self.start("sensors.py", "--samples", "5", "--every", "0.01", "--url", self.url, CONNECTORDB_APIKEY=key)
        self.assertIn("5 samples taken, 0 readings wait", self.finish(first))
        self.finish(self.start("sensors.py", "--samples", "3", "--every", "0.01"))
        for sensor in ("disk_free", "disk_delay"):
            points = self.cdb(f"mara/board/{sensor}")[:]
            self.assertEqual(len(points), 8)
            self.assertEqual(points["t"], sorted(points["t"]))

    def test_without_a_key(self) -> None:
        """The first run without a key says what to do, and leaves no file behind."""
        process = self.start("sensors.py", "--samples", "1", CONNECTORDB_APIKEY="")
        said, _ = process.communicate(timeout=3 * SOON)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("set CONNECTORDB_APIKEY", said)
        self.assertNotIn("Traceback", said)
        self.assertEqual(list(self.here.iterdir()), [])

    def test_ends_on_a_signal(self) -> None:
        """SIGTERM ends it, after a last sync."""
        process = self.start("sensors.py", "--every", "0.01", "--url", self.url, CONNECTORDB_APIKEY=self.device.apikey)
        self.eventually(lambda: self.waiting(str(self.here / "sensors.db")) > 3, "samples")
        process.terminate()
        self.assertIn(", 0 readings wait", self.finish(process))


class StationTests(ExampleCase):
    """``weather_station.py`` loses nothing to kills and to a server that is away."""

    def test_killed(self) -> None:
        """It logs with no server there, is killed, and goes on; then all of it arrives, once, in order."""
        environment = {"CONNECTORDB_URL": "http://127.0.0.1:1", "CONNECTORDB_APIKEY": self.device.apikey}
        file = str(self.here / "station.db")
        for _ in range(2):
            process = self.start("weather_station.py", file, "--every", "0.01", **environment)
            before = self.waiting(file)
            self.eventually(lambda before=before: self.waiting(file) > before + 20, "logging")
            process.kill()
            process.wait()
        accepted = self.waiting(file)
        with Logger(file) as logger:
            logger.serverurl = self.url
        process = self.start("weather_station.py", file, "--every", "0.01", "--sync", "0.1")
        stream = self.cdb("mara/board/temperature")
        self.eventually(lambda: stream.exists() and len(stream) > accepted // 2, "a sync")
        process.terminate()
        self.assertRegex(self.finish(process), r"temperature +\d+")
        with Logger(file, syncraise=True) as logger:
            logger.sync()
            status = logger.status()
        self.assertEqual((status.waiting, status.aside, status.dropped, status.lost), (0, 0, 0, 0))
        points = stream[:]
        self.assertEqual(len(points), status.streams["temperature"].accepted)
        self.assertEqual(points["t"], sorted(set(points["t"])))


class TourTests(ExampleCase):
    """``repl_tour.py`` shows what it says, and cleans up."""

    def test_tour(self) -> None:
        """It creates, inserts, slices and hears of an insert; the user is gone afterwards."""
        said = self.finish(self.start("repl_tour.py", "mara", "--url", self.url, CONNECTORDB_PASSWORD="secret"))
        for line in (
            "streams: tourist/room/temperature",
            "points: 10",
            "last three: [21.75, 21.25, 20.75]",
            "of the last five minutes: [22.75, 22.25, 21.75, 21.25, 20.75]",
            "arrived: tourist/room/temperature 19.5",
        ):
            self.assertIn(line, said)
        self.assertFalse(self.cdb("tourist").exists())


class LampTests(ExampleCase):
    """``lamp_daemon.py`` does what it is told, and says so in the stream."""

    def setUp(self) -> None:
        super().setUp()
        self.lamp = self.cdb("mara/board/lamp")

    def daemon(self, **environment: str) -> subprocess.Popen[str]:
        """Start the daemon, and wait until it listens."""
        process = self.start("lamp_daemon.py", "--url", self.url, CONNECTORDB_APIKEY=self.device.apikey, **environment)
        assert process.stdout is not None
        line = next((line for line in process.stdout if "waiting" in line), "")
        self.assertIn("waiting for commands at mara/board/lamp", line)
        return process

    def test_switched(self) -> None:
        """A command of another device is acknowledged: it stands in the stream itself. SIGTERM ends the daemon."""
        process = self.daemon()
        for count, state in enumerate((True, False, True), 1):
            self.lamp.insert(state)
            self.eventually(lambda count=count: len(self.lamp) == count, "acknowledged")
        self.assertEqual(self.lamp[:].d(), [True, False, True])
        self.assertIs(self.lamp.command(False, timeout=SOON)["d"], False)
        with self.assertRaisesRegex(DownlinkRefused, "on or off"):
            self.lamp.schema = {}
            self.lamp.command("dimmed", timeout=SOON)
        self.lamp.command(True, timeout=SOON)
        process.terminate()
        said = self.finish(process)
        self.assertIn("the lamp is on", said)
        self.assertIn("stopped", said)

    def test_seconds(self) -> None:
        """It ends by itself when it was told to."""
        self.finish(
            self.start("lamp_daemon.py", "--url", self.url, "--seconds", "0", CONNECTORDB_APIKEY=self.device.apikey)
        )

    def test_killed(self) -> None:
        """What it was told while it was away, after a kill, is done when it is back: the latest. Two at once there are not."""
        process = self.daemon()
        self.lamp.insert(True)
        self.eventually(lambda: len(self.lamp) == 1, "acknowledged")
        other = self.start("lamp_daemon.py", "--url", self.url, CONNECTORDB_APIKEY=self.device.apikey)
        said, _ = other.communicate(timeout=3 * SOON)
        self.assertRegex(said, f"RememberInUse.*process {process.pid}")
        process.kill()
        process.wait()
        self.lamp.insert(True)
        self.lamp.insert(False)
        process = self.daemon()
        self.eventually(lambda: self.lamp[:].d() == [True, False], "the latest is acknowledged")
        process.terminate()
        self.finish(process)

    @unittest.skipIf(sys.platform == "win32", "there is no systemd there")
    def test_service(self) -> None:
        """It tells systemd when it is ready, that it is well, and that it stops; by then everything is answered."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.here / "notify"))
            manager.settimeout(3 * SOON)
            process = self.daemon(NOTIFY_SOCKET=str(self.here / "notify"), WATCHDOG_USEC="30000")
            self.assertEqual([manager.recv(100) for _ in range(3)], [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"])
            for number in range(20):
                self.lamp.insert(number % 2 == 0)
            process.terminate()
            while (state := manager.recv(100)) != b"STOPPING=1":
                self.assertEqual(state, b"WATCHDOG=1")
            said = self.finish(process)
        self.assertEqual(len(self.lamp), said.count("the lamp is"))
        unit = configparser.ConfigParser(strict=False)
        unit.read_string((EXAMPLES / "lamp.service").read_text(encoding="utf-8"))
        self.assertEqual(unit["Service"]["Type"], "notify")
        # longer than closing takes at the most
        self.assertGreater(float(unit["Service"]["TimeoutStopSec"]), 10)

    def test_stuck(self) -> None:
        """A lamp that is stuck in the midst of switching feeds no watchdog."""
        program = (
            "import lamp_daemon, threading\n"
            "lamp = lamp_daemon.Lamp()\n"
            "lamp.switch(True)\n"
            "assert lamp.is_well\n"
            "lamp.PATIENCE, lamp._began = 0.0, 0.0\n"
            "told = []\n"
            "lamp_daemon.tell_systemd = told.append\n"
            "lamp_daemon.wait_for_the_end(threading.Event(), 0.05, lamp)\n"
            "assert not told, told\n"
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env={**os.environ, "PYTHONPATH": f"{EXAMPLES.parent}{os.pathsep}{EXAMPLES}", "WATCHDOG_USEC": "10000"},
            capture_output=True,
            text=True,
            timeout=3 * SOON,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
