"""The programs in ``examples/`` run, as programs, against a server, and do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from connectordb import ConnectorDB
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
        self.eventually(lambda: (self.here / "sensors.db").exists() and self.cdb("mara/board/disk_free").exists())
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

    def waiting(self, file: str) -> int:
        """Return how many points wait in the file."""
        if not Path(file).exists():
            return 0
        with Logger(file) as logger:
            return len(logger)


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

    def test_switched(self) -> None:
        """A command of another device is acknowledged: it stands in the stream itself. SIGTERM ends the daemon."""
        process = self.start(
            "lamp_daemon.py", "--url", self.url, "--seconds", "60", CONNECTORDB_APIKEY=self.device.apikey
        )
        assert process.stdout is not None
        line = next((line for line in process.stdout if "waiting" in line), "")
        self.assertIn("waiting for commands at mara/board/lamp", line)
        lamp = self.cdb("mara/board/lamp")
        for count, state in enumerate((True, False, True), 1):
            lamp.insert(state)
            self.eventually(lambda count=count: len(lamp) == count, "acknowledged")
        self.assertEqual(lamp[:].d(), [True, False, True])
        process.terminate()
        self.assertIn("the lamp is on", self.finish(process))
