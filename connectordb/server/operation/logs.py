"""
Where the log of a server goes, and what its lines look like; for programs that are nothing but a server.

Everything is logged with `logging`, below the logger ``connectordb``. Here handlers are put on it: to a file of the owner's alone
that is put aside when it is long enough, or to standard error, which under a service manager is the journal.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any

from ...exceptions import ConfigurationError
from ..config import Log

#: What a record may say about a request beside its message, in the order in which JSON has it.
DETAILS = ("ref", "status", "method", "path", "address", "caller", "seconds", "bytes")

#: What lets somebody in, wherever it stands: in the address that a broken request began with, in a traceback.
_SECRETS = re.compile(r"(apikey=|connectordb-session=|authorization:?\s*(?:basic|bearer)\s+)[^&\s\"';]+", re.IGNORECASE)

#: Ends of lines, what terminals obey, and what has text read in another order than it stands in.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

#: Priorities as the journal reads them at the beginning of a line.
_PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


def redacted(text: str) -> str:
    """Return a text without what lets somebody in."""
    return _SECRETS.sub(r"\1…", text)


class Lines(logging.Formatter):
    """
    A line for people; only a traceback has several.

    Args:
        journal: Whether a journal adds the time, and takes the level as a number before it.
    """

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__("%(name)s: %(message)s" if journal else "%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._journal = journal

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line itself: what clients wrote cannot begin another one."""
        return _CONTROL.sub(lambda found: repr(found[0])[1:-1], super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        text = redacted(super().format(record))
        if not self._journal:
            return text
        priority = f"<{_PRIORITIES.get(record.levelname, 5)}>"
        return "\n".join(priority + line for line in text.split("\n"))


class JSONLines(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message``, the `DETAILS` there are, and ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON text."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: value for name in DETAILS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        shown = {name: redacted(value) if isinstance(value, str) else value for name, value in fields.items()}
        text = json.dumps(shown, ensure_ascii=False, default=str)
        return _CONTROL.sub(
            lambda found: f"\\u{ord(found[0]):04x}", text
        )  # those that JSON allows in texts, and editors break at


class PrivateFile(RotatingFileHandler):
    """A log file that nobody but its owner reads, put aside at a certain length; `reopen` after somebody else moved it."""

    def __init__(self, path: Path, rotate_bytes: int, keep: int) -> None:
        super().__init__(path, maxBytes=rotate_bytes, backupCount=keep, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> Any:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private)

    def reopen(self) -> None:
        """Go on in the file that has the name now."""
        self.acquire()
        try:
            if self.stream is not None:
                self.stream.close()
            self.stream = self._open()
        finally:
            self.release()


class Logs:
    """
    The log of this process, until `close`.

    Args:
        settings: What is logged, where, and how.
        directory: What the file's name is relative to.

    Raises:
        ConfigurationError: The file cannot be written.
    """

    def __init__(self, settings: Log, directory: str | os.PathLike[str]) -> None:
        self._logger = logging.getLogger("connectordb")
        self._before = self._logger.level, self._logger.propagate
        self._handler: logging.Handler = (
            _file(Path(directory) / settings.file, settings) if settings.file else logging.StreamHandler()
        )
        journal = not settings.file and _is_journal(sys.stderr)
        self._handler.setFormatter(JSONLines() if settings.format == "json" else Lines(journal=journal))
        self._logger.setLevel(settings.level.upper())
        self._logger.propagate = False  # told once, also where something else has configured the root
        self._logger.addHandler(self._handler)
        # what asyncio says of a callback that failed is about this server, too
        self._also = logging.getLogger("asyncio")
        self._also.addHandler(self._handler)

    def reopen(self) -> None:
        """Go on in a new file if the old one was moved away, as ``logrotate`` does."""
        if isinstance(self._handler, PrivateFile):
            self._handler.reopen()

    def close(self) -> None:
        """Leave logging as it was; may be called again."""
        self._logger.removeHandler(self._handler)
        self._also.removeHandler(self._handler)
        self._logger.setLevel(self._before[0])
        self._logger.propagate = self._before[1]
        self._handler.close()


def _file(path: Path, settings: Log) -> PrivateFile:
    try:
        return PrivateFile(path, settings.rotate_bytes, settings.keep)
    except OSError as error:
        raise ConfigurationError(f"log.file: writing {str(path)!r}: {error.strerror}") from error


def _is_journal(stream: IO[str] | None) -> bool:
    """Tell whether what is written there goes to systemd's journal, as ``JOURNAL_STREAM`` says (``systemd.exec(5)``)."""
    wanted = os.environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(stream.fileno()) if stream is not None and wanted else None
    except (OSError, ValueError):
        return False  # no file at all
    return found is not None and wanted == f"{found.st_dev}:{found.st_ino}"
