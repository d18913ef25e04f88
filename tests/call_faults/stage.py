"""What calls are made on: a user with devices and streams on a real server, and a gate before it, for one thread's use."""

from __future__ import annotations

import base64
import itertools
import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from connectordb import ConnectorDB, ConnectorDBError, Device, Stream, User

from .faults import TRUSTED, tls
from .gate import Gate

#: What is in the stream that is read.
NUMBERS = [{"t": 1000.0 + number, "d": number / 4} for number in range(12)]

_names = itertools.count()


class Stage:
    """
    See the module.

    Args:
        url: The server's.
        administrator: An administrator's API key.
        elsewhere: The URL of a host that is none of the server's.
        number: Tells it from others.
        work: A folder.
        options: What connections through the gate are made with.

    Attributes:
        direct: The caller, without the gate.
        secrets: What must be in no text, as it is and as it is sent.
        expected: What calls return that only read, by label.
        requests: How many requests a call takes, by label.
    """

    def __init__(
        self, url: str, administrator: str, elsewhere: str, number: int, work: Path, options: dict[str, Any]
    ) -> None:
        self._administrator = administrator
        self._closing = ExitStack()
        self.url = url
        self.work = work
        self.user = f"w{number}u{next(_names)}"
        self.password = f"password-of-{self.user}"
        self.options = options
        self.plain, self.tls = Gate(number, url, elsewhere), Gate(number, url, elsewhere, tls("good"))
        self._closing.callback(self.plain.close)
        self._closing.callback(self.tls.close)
        self.expected: dict[str, Any] = {}
        self.requests: dict[str, int] = {}
        self._furnish()

    def _furnish(self) -> None:
        streams = {"temperature": {"schema": '{"type":"number"}'}}
        with ConnectorDB(self._administrator, url=self.url) as test:
            test(self.user).create(
                *(f"{self.user}@example.org", self.password, "admin"),
                devices={"box": {"streams": streams}, "lamp": {"streams": {"switch": {"downlink": True}}}},
                streams=streams,
            )
            self.key: str = test(f"{self.user}/user").apikey
        self.direct = self._closing.enter_context(ConnectorDB(self.key, url=self.url))
        spoken = (f":{self.key}", f"{self.user}:{self.password}")
        self.secrets = [self.key, self.password, *(base64.b64encode(text.encode()).decode() for text in spoken)]
        self.direct["temperature"].insert_array(NUMBERS)
        box = self._closing.enter_context(ConnectorDB(self.direct(f"{self.user}/box").apikey, url=self.url))
        box["temperature"].insert_array(NUMBERS)
        self._closing.callback(shutil.rmtree, self.work, ignore_errors=True)

    @cached_property
    def lamp(self) -> str:
        """The path of a lamp whose device acknowledges each command."""
        key = self.direct(f"{self.user}/lamp").apikey
        daemon = self._closing.enter_context(ConnectorDB(key, url=self.url))
        daemon["switch"].subscribe(lambda path, points: True, downlink=True)
        return f"{self.user}/lamp/switch"

    def close(self) -> None:
        """End all of it."""
        self._closing.close()


class Try:
    """
    One call, with a connection of its own that has worked.

    Attributes:
        cdb: The connection, through the gate.
        name: A name that nothing has yet.
        keep: What a call wants to remember.
    """

    def __init__(self, stage: Stage, gate: Gate) -> None:
        self.stage = stage
        self.gate = gate
        self.name = f"n{next(_names)}"
        self.keep: Any = None
        self._ending: list[Callable[[], object]] = []
        self.cdb = self.connect(stage.key)

    def connect(self, *credentials: str, **options: Any) -> ConnectorDB:
        """Return a connection through the gate, which ends with this."""
        options = {"verify": str(TRUSTED), **self.stage.options, **options}
        cdb = ConnectorDB(*credentials, url=self.gate.url, **options)
        self._ending.append(cdb.close)
        return cdb

    @property
    def user(self) -> User:
        """The caller's user."""
        user: User = self.cdb(self.stage.user)
        return user

    @property
    def box(self) -> Device:
        """Another device of that user."""
        return self.user["box"]

    @property
    def stream(self) -> Stream:
        """A stream of the caller's with points."""
        stream: Stream = self.cdb(f"{self.stage.user}/user/temperature")
        return stream

    def new(self, path: str = "") -> Any:
        """Return what is called as nothing else, by its path below the user; through the gate."""
        return self.cdb(f"{self.stage.user}/{path}{self.name}")

    def direct(self, item: Any) -> Any:
        """Return the same object without the gate."""
        return self.stage.direct(item.path)

    @property
    def target(self) -> Stream:
        """A stream of the caller's with this name."""
        stream: Stream = self.new("user/")
        return stream

    def make_target(self, **properties: Any) -> None:
        """Have that stream, empty."""
        self.direct(self.target).create(**properties)

    def remove(self) -> None:
        """Remove what has this name, so that what is listed and exported stays small."""
        for path in (f"{self.stage.user}/user/{self.name}", f"{self.stage.user}/{self.name}", self.name):
            with suppress(ConnectorDBError):  # it is not there, for the most part
                self.stage.direct(path).delete()

    @property
    def folder(self) -> Path:
        """A folder that is not there yet, of this name."""
        return self.stage.work / self.name

    def close(self) -> None:
        """End connections, and remove what is in files."""
        for end in reversed(self._ending):
            end()
        shutil.rmtree(self.folder, ignore_errors=True)
