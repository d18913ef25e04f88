"""The reverse proxy of ``docs/howto/tls.rst``, as it stands there: a real nginx, where there is one."""

from __future__ import annotations

import queue
import re
import shutil
import socket
import subprocess
import unittest
from pathlib import Path
from textwrap import dedent

from connectordb import ConnectorDB
from connectordb.server.config import Config, Listen
from tests.support.case import SOON, Case
from tests.support.server import run_server

PAGE = Path(__file__).parent.parent / "docs" / "howto" / "tls.rst"
CERTIFICATE = Path(__file__).parent / "support" / "localhost.pem"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def shown() -> str:
    """Return the ``server`` block that the page shows."""
    found = re.search(r"code-block:: nginx\n\n((?:   .*\n|\n)+)", PAGE.read_text(encoding="utf-8"))
    assert found is not None
    return dedent(found[1])


@unittest.skipUnless(NGINX, "nginx is not installed")
class NginxTests(Case):
    """Requests and subscriptions go through it, encrypted."""

    def nginx(self, backend: str, port: int) -> None:
        """Start it with what the page shows, but with this machine's names and numbers; it ends with the test."""
        folder = self.folder()
        replaced = shown()
        for old, new in {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "data.example.org;": "localhost;",
            "/etc/letsencrypt/live/data.example.org/fullchain.pem": str(CERTIFICATE),
            "/etc/letsencrypt/live/data.example.org/privkey.pem": str(CERTIFICATE),
            "http://127.0.0.1:3124": backend,
        }.items():
            self.assertIn(old, replaced)
            replaced = replaced.replace(old, new)
        kept = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off; {kept}\n{replaced}}}\n"
        )
        assert NGINX is not None
        process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"])
        self.addCleanup(process.wait, SOON)
        self.addCleanup(process.terminate)

    def test_page(self) -> None:
        """A client calls, inserts, listens and commands through it; the server knows whose address it is."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with run_server(
            user="mara", password="secret", config=Config(listen=Listen(trusted_proxies=("127.0.0.1",)))
        ) as server:
            self.nginx(server.url, port)
            with ConnectorDB(
                "mara", "secret", url=f"https://localhost:{port}", verify=str(CERTIFICATE), wait=SOON
            ) as cdb:
                cdb("mara/lamp").create(streams={"light": {"downlink": True}, "heat": {}})
                with ConnectorDB(cdb("mara/lamp").apikey, url=cdb.url, verify=str(CERTIFICATE)) as lamp:
                    lamp["heat"].insert_array({"t": 1.0 + number, "d": "x" * 500} for number in range(6000))
                    self.assertEqual(len(cdb("mara/lamp/heat")[:]), 6000)
                    came: queue.Queue[object] = queue.Queue()
                    cdb("mara/lamp/heat").subscribe(lambda path, points: came.put(points.d()))
                    lamp["light"].subscribe(lambda path, points: True, downlink=True)
                    lamp["heat"].insert(21)
                    self.assertEqual(came.get(timeout=SOON), [21])
                    self.assertEqual(cdb("mara/lamp/light").command("on", timeout=SOON)["d"], "on")
