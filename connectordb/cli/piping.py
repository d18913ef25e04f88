"""Reads lines from a pipe for ``log insert`` until the pipe ends, or Ctrl-C; all lines that were read are logged."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import BinaryIO

import click

from ..logger import Lines

#: How many bytes are read at a time, and how many a line may have.
_BLOCK, _LONGEST = 1 << 16, 1 << 24


class Piping:
    """
    Reads lines until there are no more, or Ctrl-C. What was read is logged and flushed in any case.

    Args:
        lines: Logs the lines.
        strict: Whether to stop at the first line that cannot be logged.

    Attributes:
        refused: The number of lines that could not be logged.
    """

    def __init__(self, lines: Lines, strict: bool) -> None:
        self._lines, self._strict = lines, strict
        self._waiting = self._ended = False
        self.refused = 0

    def run(self, file: BinaryIO) -> bool:
        """Log the lines of *file*, and return whether this was interrupted."""
        with self._signals():
            try:
                for number, line in self._numbered(file):
                    self._take(number, line)
                    if self.refused and self._strict:
                        break
            finally:
                self._lines.settle()
        return self._ended

    def _take(self, number: int, line: bytes) -> None:
        try:
            self._lines.take(line)
        except ValueError as error:
            self.refused += 1
            click.echo(f"line {number}: {error}", err=True)

    def _numbered(self, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
        number, rest = 0, b""
        while block := self._next(file):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                number += 1
                yield number, line
            if len(rest) > _LONGEST:
                raise click.ClickException(f"line {number + 1}: of more than {_LONGEST} bytes")
        if rest and not self._ended:
            yield number + 1, rest

    def _next(self, file: BinaryIO) -> bytes:
        """Return what can be read without waiting for more than some; nothing at the end of the file, or after Ctrl-C."""
        self._lines.settle()
        if self._ended:
            return b""
        try:
            number = file.fileno()
            self._wait(number)
        except (OSError, ValueError):  # it has no descriptor, or one that `select` cannot wait for
            return getattr(file, "read1", file.read)(_BLOCK)
        return b"" if self._ended else os.read(number, _BLOCK)

    def _wait(self, number: int) -> None:
        self._waiting = True
        try:
            if not self._ended:
                select.select([number], [], [])
        except KeyboardInterrupt:
            self._ended = True
        finally:
            self._waiting = False

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """In the block, let Ctrl-C and SIGTERM end the waiting for lines, and interrupt nothing else."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(number: int, frame: FrameType | None) -> None:
            self._ended = True
            if self._waiting:
                raise KeyboardInterrupt

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
