"""Raw sockets: what a dialogue sends, what comes back taken apart, and whether that is what it has to be."""

from __future__ import annotations

import json
import re
import select
import socket
import time
from dataclasses import dataclass

from .making import Asked, Dialogue

#: Seconds within which all answers of a dialogue must be there.
DEADLINE = 20.0

#: Statuses that are failures of the server. That it is too busy (503) and that its disk is full (507) is not among them.
_FAILURES = range(500, 600)
_BUSY = (503, 507)


@dataclass(frozen=True)
class Answer:
    """
    What came back for one request.

    Attributes:
        status: The status.
        headers: Names in lower case.
        body: Without chunks.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Wrong(AssertionError):
    """The server did not do what it has to."""


def hold(address: tuple[str, int], dialogue: Dialogue) -> list[Answer]:
    """
    Send a dialogue and return the answers.

    Raises:
        Wrong: One is missing, none came in time, or one is not what it has to be.
    """
    data = b"".join(asked.wire() for asked in dialogue.requests)
    reader = Reader(dialogue.requests)
    with socket.create_connection(address, DEADLINE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ended = _exchange(connection, data, dialogue, reader)
    for asked, answer in zip(dialogue.requests, reader.answers, strict=False):
        check(asked, answer)
    if dialogue.patient:
        _check_number(dialogue.requests, reader.answers, ended)
    return reader.answers


def _exchange(connection: socket.socket, data: bytes, dialogue: Dialogue, reader: Reader) -> bool:
    """Send and read at once, until all is answered or the server hangs up; tell whether it did."""
    connection.setblocking(False)
    deadline = time.monotonic() + DEADLINE
    piece = -(-len(data) // dialogue.pieces)
    sent, half_closed = 0, False
    while not reader.done:
        if sent >= len(data) and not half_closed:
            if not dialogue.patient:
                return False
            if dialogue.requests[-1].ends:
                half_closed = True
                try:
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    return True  # it has hung up already
        left = deadline - time.monotonic()
        readable, writable, _ = select.select(
            [connection], [connection] if sent < len(data) else [], [], max(0.0, left)
        )
        if not readable and not writable:
            raise Wrong(
                f"no answer within {DEADLINE:g} s; {len(reader.answers)} of {len(dialogue.requests)} requests are answered"
            )
        try:
            if readable:
                came = connection.recv(1 << 18)
                if not came:
                    reader.end()
                    return True
                reader.feed(came)
            if writable:
                sent += connection.send(data[sent : min(len(data), (sent // piece + 1) * piece)])
        except (ConnectionResetError, BrokenPipeError):
            reader.end()
            return True
    return False


class Reader:
    """Takes answers apart as their bytes come."""

    def __init__(self, requests: tuple[Asked, ...]) -> None:
        self._requests = requests
        self._data = bytearray()
        self.answers: list[Answer] = []

    @property
    def done(self) -> bool:
        """Whether nothing more is to come."""
        return len(self.answers) >= len(self._requests) and not self._requests[-1].ends

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._data += data
        while self._data and self._take():
            pass

    def end(self) -> None:
        """Know that nothing more comes."""
        if self._data and self._requests[-1].proper:
            raise Wrong(f"the server hung up within an answer: {bytes(self._data[:200])!r}")

    def _take(self) -> bool:
        head, found, _ = bytes(self._data[: 1 << 16]).partition(b"\r\n\r\n")
        if not found:
            return False
        lines = head.decode("latin-1").split("\r\n")
        if re.fullmatch(r"HTTP/1\.[01] \d\d\d [^\r\n]*", lines[0]) is None:
            raise Wrong(f"this is no answer: {head[:200]!r}")
        status = int(lines[0].split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body, size = self._body(status, headers, len(head) + 4)
        if size < 0:
            return False
        del self._data[:size]
        if status >= 200:
            self.answers.append(Answer(status, headers, body))
        return True

    def _body(self, status: int, headers: dict[str, str], begin: int) -> tuple[bytes, int]:
        """Return an answer's body and where the answer ends; -1 if it is not all there."""
        number = len(self.answers)
        verb = self._requests[number].verb if number < len(self._requests) else b""
        if status < 200 or status in (204, 304) or verb == b"HEAD":
            return b"", begin
        if headers.get("transfer-encoding") == "chunked":
            return self._chunks(begin)
        if "content-length" not in headers:
            raise Wrong(f"an answer without a length: {status} {headers}")
        end = begin + int(headers["content-length"])
        return (bytes(self._data[begin:end]), end) if len(self._data) >= end else (b"", -1)

    def _chunks(self, at: int) -> tuple[bytes, int]:
        parts = []
        while True:
            line = self._data.find(b"\r\n", at)
            if line < 0:
                return b"", -1
            size = int(self._data[at:line], 16)
            end = line + 2 + size
            if len(self._data) < end + 2:
                return b"", -1
            if not size:
                return b"".join(parts), end + 2
            parts.append(bytes(self._data[line + 2 : end]))
            at = end + 2


def _is_of_a_transform(asked: Asked, answer: Answer) -> bool:
    """Tell whether a 500 is what the wire has for a transform that fails, rather than a failure of the server."""
    asks = asked.target + asked.body
    computes = b"transform" in asks or b"interpolator" in asks
    return answer.status == 500 and computes and b"The server failed" not in answer.body


def check(asked: Asked, answer: Answer) -> None:
    """Raise `Wrong` if an answer is a failure of the server, or not of the form that it has to have."""
    said = f"{answer.status} {answer.body[:300]!r} to {asked!r}"
    if answer.status in _FAILURES and answer.status not in _BUSY and not _is_of_a_transform(asked, answer):
        raise Wrong(f"a failure: {said}")
    if asked.verb == b"HEAD":
        return
    if answer.status >= 400:
        try:
            error = json.loads(answer.body)
        except ValueError as wrong:
            raise Wrong(f"an error without the error's body: {said}") from wrong
        if (
            set(error) != {"code", "msg", "ref"}
            or error["code"] != answer.status
            or not error["msg"]
            or not error["ref"]
        ):
            raise Wrong(f"an error with another body: {said}")
    elif answer.headers.get("content-type", "").startswith("application/json"):
        try:
            json.loads(answer.body, parse_constant=_no_constant)
        except ValueError as wrong:
            raise Wrong(f"this is no JSON: {said}") from wrong


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_number(requests: tuple[Asked, ...], answers: list[Answer], ended: bool) -> None:
    """Raise `Wrong` if a request was not answered that had to be."""
    if not all(asked.proper for asked in requests):
        return  # what is no HTTP may be answered or not
    if len(answers) >= len(requests):
        if len(answers) > len(requests):
            raise Wrong(f"{len(answers)} answers to {len(requests)} requests")
        return
    if not ended:
        raise Wrong(f"{len(answers)} answers to {len(requests)} requests")
    if not (answers and "close" in answers[-1].headers.get("connection", "").lower()):
        raise Wrong(f"the server hung up without an answer to {requests[len(answers)]!r} (answers: {len(answers)})")
