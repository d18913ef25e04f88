"""
Where the log of a server goes, and what its lines look like; for programs that are nothing but a server.

Everything is logged by `logging`, below the logger ``connectordb``. This file adds the handler: for a rotated file that only its
owner can read, or for standard error, which under a service manager goes to the journal.
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

#: What a record may say about a request besides its message, in the order of the JSON.
DETAILS = ("ref", "status", "method", "path", "address", "caller", "seconds", "bytes")

#: Credentials, wherever they occur: in the address of a broken request, or in a traceback.
_SECRETS = re.compile(r"(apikey=|connectordb-session=|authorization:?\s*(?:basic|bearer)\s+)[^&\s\"';]+", re.IGNORECASE)

#: Line ends, control characters of terminals, and characters that change the direction of text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

#: Priorities, which the journal reads at the beginning of a line.
_PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


def redacted(text: str) -> str:
    """Return a text without any credentials in it."""
    return _SECRETS.sub(r"\1…", text)


class Lines(logging.Formatter):
    """
    One line for people; only tracebacks take several.

    Args:
        journal: Whether a journal adds the time, and takes the level as a number before it.
    """

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__("%(name)s: %(message)s" if journal else "%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._journal = journal

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line. Text from clients in it is escaped, so that it cannot begin another line."""
        return _CONTROL.sub(lambda found: repr(found[0])[1:-1], super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        text = redacted(super().format(record))
        if not self._journal:
            return text
        priority = f"<{_PRIORITIES.get(record.levelname, 5)}>"
        return "\n".join(priority + line for line in text.split("\n"))


class JSONLines(logging.Formatter):
    """One JSON object per line: ``time``, ``level``, ``logger``, ``message``, those `DETAILS` that there are, and ``exception``."""

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
    """A log file that only its owner can read, rotated at a certain size. Call `reopen` after something else has moved it."""

    def __init__(self, path: Path, rotate_bytes: int, keep: int) -> None:
        super().__init__(path, maxBytes=rotate_bytes, backupCount=keep, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> Any:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private)

    def reopen(self) -> None:
        """Go on in the file that now has the name."""
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
        directory: The folder that the file's name is relative to.

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
        self._logger.propagate = False  # so that nothing is logged twice if the root logger is configured too
        self._logger.addHandler(self._handler)
        # asyncio logs callbacks that fail, and these are this server's
        self._also = logging.getLogger("asyncio")
        self._also.addHandler(self._handler)

    def reopen(self) -> None:
        """Go on in a new file if the old one was moved away, as by ``logrotate``."""
        if isinstance(self._handler, PrivateFile):
            self._handler.reopen()

    def close(self) -> None:
        """Leave `logging` as it was. May be called again."""
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
    """Tell whether a stream goes to systemd's journal, as ``JOURNAL_STREAM`` says (``systemd.exec(5)``)."""
    wanted = os.environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(stream.fileno()) if stream is not None and wanted else None
    except (OSError, ValueError):
        return False  # the stream is no file
    return found is not None and wanted == f"{found.st_dev}:{found.st_ino}"
