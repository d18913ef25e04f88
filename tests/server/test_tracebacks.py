"""What is refused is let go of at once."""

from __future__ import annotations

import base64
import gc
import http.client
import json
from typing import ClassVar
from urllib.parse import urlsplit

from connectordb import ConnectorDB
from connectordb.server import Server
from connectordb.server.handlers import Request

from ..support.case import Case
from ..support.server import run_server

_REFUSED = (
    ("POST", "crud/test/user/s/data", "[" * 1000, 400),
    ("POST", "crud/test/user/s/data", '[{"t":1,"d":"no number"}]', 403),
    ("POST", "crud/test/user/s/data", '[{"t":2,"d":1},{"t":1,"d":1}]', 403),
    ("GET", "crud/test/user/s/data?i1=9", None, 403),
    ("GET", "crud/test/user/nosuch", None, 404),
    ("PUT", "crud/test/user/s", '{"unknown":1}', 403),
    ("POST", "query/merge", '[{"stream":"test/user/nosuch"}]', 403),
    (
        "POST",
        "query/dataset",
        '{"dataset":{"a":{"stream":"test/user/nosuch","interpolator":"closest"}},"t2":9,"dt":1}',
        403,
    ),
)


class LettingGo(Case):
    """A request that was refused does not stay until garbage is collected, with its body of up to ten megabytes."""

    server: ClassVar[Server]
    key: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a server with a stream of numbers."""
        running = run_server()
        cls.server = running.__enter__()
        cls.addClassCleanup(running.__exit__, None, None, None)
        with ConnectorDB("test", "test", url=cls.server.url) as cdb:
            cls.key = cdb.apikey
            cdb["s"].create({"type": "number"})

    def setUp(self) -> None:
        """Collect what there is, and no more after that."""
        super().setUp()
        address = urlsplit(self.server.url)
        self.connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
        self.addCleanup(self.connection.close)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

    def ask(self, verb: str, path: str, body: str | None, status: int, credentials: str) -> None:
        """Ask, and expect that status."""
        headers = {"Authorization": f"Basic {credentials}"}
        self.connection.request(verb, f"/api/v1/{path}", body, headers)
        answer = self.connection.getresponse()
        said = answer.read()
        self.assertEqual(answer.status, status, said)
        self.assertEqual(set(json.loads(said)), {"code", "msg", "ref"})

    def test_refused(self) -> None:
        """Whatever it is refused for, nothing of it is left once it is answered."""
        credentials = base64.b64encode(f":{self.key}".encode()).decode()
        for verb, path, body, status in _REFUSED:
            with self.subTest(path=path, status=status):
                self.ask(verb, path, body, status, credentials)
                self.eventually(lambda: not _requests(), "the request is let go of")

    def test_wrong_credentials(self) -> None:
        """The same of who is not let in."""
        for credentials in ("dGVzdDp3cm9uZw==", "Ondyb25n"):
            with self.subTest(credentials=credentials):
                self.ask("POST", "crud/test/user/s/data", "[]", 401, credentials)
                self.eventually(lambda: not _requests(), "the request is let go of")


def _requests() -> list[Request]:
    return [item for item in gc.get_objects() if type(item) is Request]
