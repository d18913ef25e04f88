"""Every setting is honoured: a server with all of them changed does everything otherwise."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

import requests
import websocket

from connectordb.protocol.features import HEADER, Features
from connectordb.server import Config, Server
from connectordb.server.config import settings
from connectordb.server.rights import passwords

from ..support.case import SOON, Case
from ..support.server import run_server

TESTS = Path(__file__).parent.parent

#: Settings whose effect is seen in other tests, and where.
ELSEWHERE = {
    **dict.fromkeys(("listen.host", "listen.port", "listen.tls_cert", "listen.unencrypted"), "cli/test_config.py"),
    "listen.tls_key": "server/web/test_tls.py",
    **dict.fromkeys(("listen.site_url", "listen.allowed_origins"), "server/test_browsers.py"),
    "listen.trusted_proxies": "server/operation/test_observer.py",
    "login.passwords_per_address": "server/test_service.py",
    **dict.fromkeys(
        ("login.refused_delay", "login.refused_waiting", "login.refused_per_address"), "server/rights/test_penalties.py"
    ),
    **dict.fromkeys(
        ("limits.body_bytes", "limits.anonymous_bytes", "limits.unknown_bytes"), "server/web/test_bodies.py"
    ),
    "limits.bodies_bytes": "server/web/test_app.py",
    **dict.fromkeys(
        (
            "limits.line_bytes",
            "limits.headers_bytes",
            "limits.header_seconds",
            "limits.body_seconds",
            "limits.idle_seconds",
            "limits.answer_seconds",
        ),
        "server/web/test_connections.py",
    ),
    **dict.fromkeys(
        (
            "limits.pipelined_requests",
            "limits.connections",
            "limits.connections_per_address",
            "limits.shutdown_seconds",
        ),
        "server/web/test_connections.py",
    ),
    **dict.fromkeys(
        (
            *("queries.seconds", "queries.script_characters", "queries.split_max", "queries.string_max"),
            *("queries.peek_max", "queries.value_bytes", "queries.held_bytes", "queries.answer_bytes"),
        ),
        "server/handlers/test_sources.py",
    ),
    "queries.all_script_characters": "server/handlers/test_scripts.py",
    **dict.fromkeys(
        ("queries.subscription_seconds", "queries.subscription_bytes"), "server/subscribers/test_transformed.py"
    ),
    "limits.check_seconds": "server/handlers/test_data.py",
    "limits.body_brackets": "server/handlers/test_request.py",
    "limits.tree_objects": "server/handlers/test_create.py",
    **dict.fromkeys(("websocket.message_brackets", "websocket.large_commands"), "server/web/test_websocket.py"),
    **dict.fromkeys(
        ("log.level", "log.format", "log.file", "log.rotate_bytes", "log.keep"), "server/operation/test_logs.py"
    ),
    "log.requests": "server/operation/test_observer.py",
    **dict.fromkeys(("metrics.port", "metrics.host"), "server/web/test_metrics_port.py"),
    **dict.fromkeys(("permissions.file", "permissions.watch"), "server/rights/test_permission_watch.py"),
    **dict.fromkeys(("storage.group_inserts", "storage.group_seconds"), "server/storage/test_watch.py"),
}

CONFIG = Config.of(
    {
        "login": {"password_threads": 1, "passwords_waiting": 1, "cookie_days": 2, "refused_delay": 0},
        "limits": {
            "schema_bytes": 50,
            "text_characters": 100,
            "merged_streams": 2,
            "dataset_streams": 3,
        },
        "websocket": {
            "ping_seconds": 0.1,
            "pong_seconds": 0.4,
            "close_seconds": 0.2,
            "message_bytes": 1024,
            "subscriptions": 2,
            "waiting_messages": 5,
            "waiting_bytes": 100_000,
        },
        "storage": {"readers": 1},
        "queries": {"threads": 1, "waiting": 7},
        "idempotency": {"seconds": 1234, "keys_per_device": 1},
        "compression": {"least_bytes": 200, "loopback": True},
    }
)

HERE = (
    *("login.password_threads", "login.passwords_waiting", "login.cookie_days"),
    *("limits.schema_bytes", "limits.text_characters", "limits.merged_streams", "limits.dataset_streams"),
    *("websocket.ping_seconds", "websocket.pong_seconds", "websocket.close_seconds", "websocket.message_bytes"),
    *("websocket.subscriptions", "websocket.waiting_messages", "websocket.waiting_bytes"),
    *("storage.readers", "queries.threads", "queries.waiting"),
    *("idempotency.seconds", "idempotency.keys_per_device", "compression.least_bytes", "compression.loopback"),
)


class SettingsTests(Case):
    """A server with everything changed."""

    server: Server
    http: requests.Session

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        ends = contextlib.ExitStack()
        cls.addClassCleanup(ends.close)
        cls.server = ends.enter_context(run_server(config=CONFIG, login_delay=None))
        cls.http = ends.enter_context(requests.Session())
        cls.http.trust_env = False
        cls.http.auth = (
            "",
            cls.http.get(f"{cls.server.url}/api/v1/crud/test/user", auth=("test", "test")).json()["apikey"],
        )
        for name in "abc":
            cls.http.post(f"{cls.server.url}/api/v1/crud/test/user/{name}", json={}, timeout=SOON)

    def ask(self, verb: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Make a request."""
        return self.http.request(verb, f"{self.server.url}/api/v1{path}", json=body, timeout=SOON, **options)

    def websocket(self) -> websocket.WebSocket:
        """Open a websocket."""
        url = self.server.url.replace("http", "ws") + "/api/v1/websocket"
        auth = self.http.auth
        assert isinstance(auth, tuple)
        made = websocket.create_connection(f"{url}?apikey={auth[1]}", timeout=SOON, http_no_proxy=["*"])
        self.addCleanup(made.shutdown)
        return made

    def frames(self, made: websocket.WebSocket) -> list[tuple[int, bytes]]:
        """Return all frames until the connection ends."""
        found: list[tuple[int, bytes]] = []
        try:
            while True:
                frame = made.recv_frame()
                found.append((frame.opcode, frame.data))
        except (websocket.WebSocketException, OSError):
            return found

    def test_none_is_forgotten(self) -> None:
        """Each setting is changed here, or in the test that is named here."""
        all_of_them = {f"{setting.section}.{setting.name}" for setting in settings(Config())}
        self.assertEqual(all_of_them, set(HERE) | set(ELSEWHERE))
        for name, where in ELSEWHERE.items():
            with self.subTest(name):
                self.assertTrue(name.partition(".")[2] in (TESTS / where).read_text(encoding="utf-8"), where)

    def test_limits(self) -> None:
        """Texts, schemas and queries."""
        self.assertEqual(self.ask("PUT", "/crud/test/user/a", {"nickname": "x" * 100}).status_code, 200)
        self.assertIn("100 characters", self.ask("PUT", "/crud/test/user/a", {"nickname": "x" * 101}).text)
        schema = json.dumps({"enum": ["x" * 50]})
        self.assertIn("50 are possible", self.ask("PUT", "/crud/test/user/a", {"schema": schema}).text)
        queries = [{"stream": f"test/user/{name}", "i1": 0, "i2": 1} for name in "abc"]
        self.assertEqual(self.ask("POST", "/query/merge", queries[:2]).status_code, 200)
        self.assertIn("more than 2 streams", self.ask("POST", "/query/merge", queries).text)
        columns = {str(n): {"stream": "test/user/a", "interpolator": "closest"} for n in range(4)}
        dataset = {"t1": 1, "t2": 3, "dt": 1, "dataset": columns}
        self.assertIn("at most 3 are possible", self.ask("POST", "/query/dataset", dataset).text)

    def test_keys(self) -> None:
        """How long and how many keys of inserts are remembered."""
        self.assertEqual(Features.parse(self.ask("GET", "/?q=this").headers[HEADER]).idempotency, 1234)
        answers = [
            self.ask("PUT", "/crud/test/user/a/data", [{"d": 1}], headers={"Idempotency-Key": key}).status_code
            for key in ("one", "one", "two")
        ]
        self.assertEqual(answers, [200, 200, 429])

    def test_answers(self) -> None:
        """What is compressed, and how long a cookie lasts."""
        self.ask("PUT", "/crud/test/user/b/data", [{"d": "x" * 500}])
        encoded = {"Accept-Encoding": "gzip"}
        self.assertIn("Content-Encoding", self.ask("GET", "/crud/test/user/b/data?i1=-1&i2=0", headers=encoded).headers)
        self.assertNotIn("Content-Encoding", self.ask("GET", "/crud/test/user/b", headers=encoded).headers)
        auth = self.http.auth
        assert isinstance(auth, tuple)
        answer = requests.get(f"{self.server.url}/api/v1/login", auth=auth, timeout=SOON)
        self.assertIn(f"Max-Age={2 * 86400}", answer.headers["Set-Cookie"])

    def test_threads(self) -> None:
        """How many threads there are, and what may wait for them."""
        for name in ("passwords", "queries", "storage-reader"):
            with self.subTest(name):
                all_of_them = {thread.name for thread in threading.enumerate()}
                mine = {thread for thread in all_of_them if thread.startswith(f"connectordb-{name}")}
                self.assertEqual(mine, {f"connectordb-{name}-1"})

    def test_passwords_waiting(self) -> None:
        """Beyond those that may wait, who logs in is to come again."""
        real, refused = passwords.verify_password, threading.Event()

        def slow(*arguments: Any) -> bool:
            self.wait(refused)
            return bool(real(*arguments))

        found: list[int] = []

        def log_in() -> None:
            answer = requests.get(f"{self.server.url}/api/v1/?q=this", auth=("test", "test"), timeout=SOON)
            found.append(answer.status_code)
            if answer.status_code == 503:
                refused.set()

        with mock.patch("connectordb.server.rights.accounts.verify_password", slow):
            threads = [threading.Thread(target=log_in) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(SOON)
        self.assertEqual(set(found), {200, 503})

    def test_websocket(self) -> None:
        """Pings, messages that are too long, subscriptions, clients that do not read or answer."""
        begin = time.monotonic()
        frames = self.frames(self.websocket())  # answers no ping
        self.assertLess(time.monotonic() - begin, SOON / 2)
        self.assertIn((websocket.ABNF.OPCODE_PING, b""), frames)
        long = self.websocket()
        long.send(json.dumps({"cmd": "insert", "arg": "test/user/a", "d": [{"d": "x" * 2000}]}))
        self.assertIn(
            (websocket.ABNF.OPCODE_CLOSE, b"\x03\xf1"), [(code, data[:2]) for code, data in self.frames(long)]
        )
        greedy = self.websocket()
        answers = []
        for number, name in enumerate("abc"):
            greedy.send(json.dumps({"cmd": "subscribe", "arg": f"test/user/{name}", "id": number}))
            answers.append(json.loads(greedy.recv()))
        self.assertEqual(["error" in answer for answer in answers], [False, False, True], answers)
