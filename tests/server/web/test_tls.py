"""The certificate: what is wrong with its files, and taking on new ones."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

from connectordb.exceptions import ConfigurationError
from connectordb.server.config import Config, Limits, Listen
from connectordb.server.web import tls
from connectordb.server.web.tls import Certificate

from ...support.case import SOON, Case
from ...support.server import run_server

SUPPORT = Path(__file__).parents[2] / "support"
ONE, ANOTHER, LOCKED = (SUPPORT / name for name in ("localhost.pem", "another.pem", "locked_key.pem"))


def shown_to(port: int, version: ssl.TLSVersion | None = None) -> bytes:
    """Return the certificate that a client is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version is not None:
        context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=SOON) as plain:
        with context.wrap_socket(plain) as connection:
            return connection.getpeercert(binary_form=True) or b""


def certificate_in(path: Path) -> bytes:
    """Return the certificate in a file."""
    text = path.read_text()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])


class FileTests(Case):
    """Files that will not do."""

    def test_what_is_wrong(self) -> None:
        """The setting, the file and the reason are told."""
        empty = self.folder() / "empty.pem"
        empty.touch()
        broken = self.folder() / "broken.pem"
        broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n")
        for cert, key, words in (
            ("nosuch.pem", "", "tls_cert: reading 'nosuch.pem': No such file"),
            (ONE, "nosuch.key", "tls_key: reading 'nosuch.key': No such file"),
            (empty, "", "tls_cert: there is no such thing in '.*empty.pem' as a certificate"),
            (LOCKED, "", "tls_cert: there is no such thing"),
            (ONE, empty, "tls_key: .* as a private key"),
            (ONE, ANOTHER, "tls_key: the key in '.*another.pem' is not that of"),
            (ANOTHER, LOCKED, "tls_key: the key in '.*locked_key.pem' is encrypted"),
            (broken, "", "tls_cert, tls_key: '.*broken.pem' with"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ConfigurationError, words):
                Certificate(cert, key)


class ServingTests(Case):
    """A server with TLS."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder() / "cert.pem"
        shutil.copy(ONE, self.file)
        self.config = Config(listen=Listen(tls_cert=str(self.file)))

    def test_shown(self) -> None:
        """Clients are shown the certificate, by TLS 1.2 or newer; who speaks plainly is not answered."""
        with run_server(config=self.config) as server:
            self.assertTrue(server.url.startswith("https://"))
            port = int(server.url.rpartition(":")[2])
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                self.assertEqual(shown_to(port, version), certificate_in(ONE))
            with socket.create_connection(("127.0.0.1", port), timeout=SOON) as plain:
                plain.sendall(b"GET /api/v1/?q=this HTTP/1.1\r\n\r\n")
                self.assertNotIn(b"HTTP", plain.recv(100))

    def test_no_renegotiation(self) -> None:
        """Nobody can have the server do the costly part of a handshake again and again."""
        self.assertTrue(Certificate(ONE).context().options & ssl.OP_NO_RENEGOTIATION)

    def test_no_handshake(self) -> None:
        """Who connects and says nothing, or stops reading, holds up nobody."""
        config = replace(self.config, limits=Limits(header_seconds=0.2))
        with run_server(config=config) as server:
            port = int(server.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=SOON) as silent:
                self.assertEqual(silent.recv(100), b"")
            context = ssl.create_default_context(cafile=str(ONE))
            with (
                socket.create_connection(("127.0.0.1", port), timeout=SOON) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as connection,
                socket.create_connection(("127.0.0.1", port), timeout=SOON),
            ):
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200 OK", connection.recv(1000))
                begin = time.monotonic()
                server.close()
                self.assertLess(time.monotonic() - begin, 2.0)

    def test_others_are_let_in(self) -> None:
        """With TLS the server listens for other machines, without it only if that was said."""
        with run_server(config=self.config, host="0.0.0.0") as server:
            self.assertTrue(shown_to(int(server.url.rpartition(":")[2])))
        for host in ("0.0.0.0", "", "192.0.2.1"):
            with self.assertRaisesRegex(ConfigurationError, "--tls-cert.*--unencrypted"):
                with run_server(host=host):
                    self.fail("it listened")
        with run_server(config=Config(listen=Listen(host="0.0.0.0", unencrypted=True))) as server:
            self.assertTrue(server.url.startswith("http://127.0.0.1:"))

    def test_renewed(self) -> None:
        """A new certificate is used for new connections; one that makes no sense is not."""
        with run_server(config=self.config) as server, mock.patch.object(tls, "_LOOK", 0.0):
            port = int(server.url.rpartition(":")[2])
            server.reload()  # from here on it looks at once
            with self.assertLogs(tls.log, "ERROR") as logged:
                self.file.write_text("nonsense")
                self.assertEqual(shown_to(port), certificate_in(ONE))
            self.assertIn("the old one stays", logged.output[0])
            shutil.copy(ANOTHER, self.file)
            os.utime(self.file, (time.time() + 1, time.time() + 1))
            self.assertEqual(shown_to(port), certificate_in(ANOTHER))

    def test_unchanged(self) -> None:
        """What has not changed is not loaded again, but for when somebody asks."""
        certificate = Certificate(self.file)
        first = certificate.context()
        certificate.look()
        self.assertIs(certificate.context(), first)
        certificate.look(again=True)
        self.assertIsNot(certificate.context(), first)
