"""The log of a server."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import ConfigurationError
from connectordb.server.config import Log
from connectordb.server.operation.logs import JSONLines, Lines, Logs

from ...support.case import Case

log = logging.getLogger("connectordb.server.test")


def record(message: str, *arguments: object, **details: object) -> logging.LogRecord:
    """Return what would be logged."""
    made = logging.LogRecord("connectordb.x", logging.WARNING, "", 1, message, arguments, None)
    made.__dict__.update(details)
    return made


class LineTests(unittest.TestCase):
    """Lines for people, and for programs."""

    @given(st.text())
    def test_one_line_each(self, text: str) -> None:
        """Whatever a client wrote, a record stays on its line."""
        for formatter in (Lines(), JSONLines(), Lines(journal=True)):
            self.assertEqual(len(formatter.format(record("asked for %s", text)).splitlines()), 1)

    def test_nothing_for_the_terminal(self) -> None:
        """Nor does it reach a terminal as a command, or have what follows read backwards."""
        for formatter in (Lines(), JSONLines(), Lines(journal=True)):
            line = formatter.format(record("asked for %s", "\x1b[2J\x9b2J\u202e\u2066."))
            self.assertFalse({"\x1b", "\x9b", "\u202e", "\u2066"} & set(line), line)

    @given(st.text(), st.text())
    def test_json(self, message: str, path: str) -> None:
        """A line of JSON says what a record says."""
        line = json.loads(JSONLines().format(record("%s", message, path=path, status=403, irrelevant=1)))
        self.assertEqual((line["level"], line["logger"], line["status"]), ("warning", "connectordb.x", 403))
        self.assertNotIn("irrelevant", line)
        if "=" not in message + path and "uthorization" not in (message + path).lower():
            self.assertEqual((line["message"], line["path"]), (message, path))

    def test_no_secrets(self) -> None:
        """What lets somebody in is in no line, wherever it came from."""
        for text in (
            "bad request b'GET /api/v1/?q=this&apikey=geheim HTTP/1.1'",
            "GET /?APIKEY=geheim&x=1",
            "Authorization: Basic geheim",
            "cookie connectordb-session=geheim; x=1",
        ):
            for formatter in (Lines(), JSONLines()):
                with self.subTest(text):
                    self.assertNotIn("geheim", formatter.format(record("%s", text)))
        try:
            raise ValueError("apikey=geheim")
        except ValueError:
            broken = record("failed")
            broken.exc_info = sys.exc_info()
        for formatter in (Lines(), JSONLines()):
            self.assertNotIn("geheim", formatter.format(broken))
            self.assertIn("ValueError", formatter.format(broken))

    def test_journal(self) -> None:
        """For a journal each line begins with its priority, and has no time of its own."""
        self.assertEqual(Lines(journal=True).format(record("oh")), "<4>connectordb.x: oh")


class LogsTests(Case):
    """Where it goes."""

    def logs(self, directory: Path, **settings: Any) -> Logs:
        """Have a log until the test ends."""
        made = Logs(Log(**settings), directory)
        self.addCleanup(made.close)
        return made

    def test_rotation(self) -> None:
        """The file is put aside at a length, and as many as wanted are kept; nobody else reads them."""
        directory = self.folder()
        self.logs(directory, file="server.log", rotate_bytes=2000, keep=2)
        for number in range(200):
            log.info("line %d", number)
        files = sorted(directory.iterdir())
        self.assertEqual([path.name for path in files], ["server.log", "server.log.1", "server.log.2"])
        for path in files:
            self.assertLessEqual(path.stat().st_size, 2000)
            if sys.platform != "win32":
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertIn("line 199", files[0].read_text())

    def test_levels(self) -> None:
        """What is below the level is not there; afterwards logging is as it was."""
        directory = self.folder()
        before = logging.getLogger("connectordb").level
        logs = self.logs(directory, file="l", level="warning", format="json")
        log.info("quiet")
        log.warning("loud", extra={"ref": "r"})
        logs.close()
        log.warning("afterwards")
        (line,) = (directory / "l").read_text().splitlines()
        self.assertEqual((json.loads(line)["message"], json.loads(line)["ref"]), ("loud", "r"))
        self.assertEqual(logging.getLogger("connectordb").level, before)

    @unittest.skipIf(sys.platform == "win32", "open files cannot be moved there")
    def test_moved_away(self) -> None:
        """After somebody moved the file, it goes on in a new one."""
        directory = self.folder()
        logs = self.logs(directory, file="l")
        log.warning("one")
        (directory / "l").rename(directory / "old")
        logs.reopen()
        log.warning("two")
        self.assertIn("one", (directory / "old").read_text())
        self.assertIn("two", (directory / "l").read_text())

    def test_standard_error(self) -> None:
        """Without a file it goes to standard error, as the journal likes it if that is one."""
        with mock.patch("sys.stderr", io.StringIO()) as told:
            logs = self.logs(self.folder())
            log.info("here")
            logs.close()
        self.assertRegex(told.getvalue(), r"\A\d{4}-.* INFO connectordb\.server\.test: here\n\Z")
        with open(self.folder() / "journal", "w+") as journal:
            found = os.fstat(journal.fileno())
            environment = mock.patch.dict(os.environ, JOURNAL_STREAM=f"{found.st_dev}:{found.st_ino}")
            with environment, mock.patch("sys.stderr", journal):
                logs = self.logs(self.folder())
                log.info("here")
                logs.reopen()
                logs.close()
            journal.seek(0)
            self.assertEqual(journal.read(), "<6>connectordb.server.test: here\n")

    def test_no_such_place(self) -> None:
        """A file that cannot be written is told."""
        with self.assertRaisesRegex(ConfigurationError, "log.file.*No such file"):
            Logs(Log(file="no/such/place"), self.folder())
