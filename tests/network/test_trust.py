"""Whose certificates are trusted, and which one is shown."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Any
from unittest import mock

from connectordb.client.http import Transport
from connectordb.client.terms.judging import Fate
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import CertificateRefused, ConnectionFailed, LocalProtocolError
from connectordb.network.trust import Trust
from tests.support.case import Case
from tests.support.wire import Peer, answer

SUPPORT = Path(__file__).parent.parent / "support"
ONE, ANOTHER, LOCKED = (str(SUPPORT / name) for name in ("localhost.pem", "another.pem", "locked_key.pem"))


class TrustCase(Case):
    """A server over TLS."""

    def server(self, wants: str = "") -> Peer:
        """Return a peer that speaks TLS, and may want to see a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ONE)
        if wants:
            context.load_verify_locations(wants)
            context.verify_mode = ssl.CERT_REQUIRED
        peer = Peer(otherwise=answer("ok"), context=context)
        self.addCleanup(peer.close)
        return peer

    def said(self, url: str, **options: Any) -> str:
        """Return what the server answers."""
        transport = Transport(url, trust=Trust(**options))
        self.addCleanup(transport.close)
        return str(transport.send("GET", "/", Trace()).text)

    def refused(self, url: str, **options: Any) -> ConnectionFailed:
        """See that nothing is sent, and return why."""
        transport, trace = Transport(url, trust=Trust(**options)), Trace()
        self.addCleanup(transport.close)
        with self.assertRaises(ConnectionFailed) as caught:
            transport.send("POST", "/", trace, body=b"[]", authorization="Basic c2VjcmV0")
        self.assertEqual((trace.fate, trace.bytes_out), (Fate.UNSENT, 0))
        return caught.exception


class Server(TrustCase):
    """That of the server."""

    def test_own_authority(self) -> None:
        """One that is passed is trusted, as a file or as a folder, whatever the environment says."""
        url, folder = self.server().url, self.folder()
        hashed = folder / "2c6a9a4b.0"
        hashed.write_text(Path(ONE).read_text())
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": "/nosuch/file"}):
            self.assertEqual(self.said(url, verify=ONE), "ok")
            self.assertIsInstance(self.refused(url, verify=ANOTHER), CertificateRefused)
            self.assertIsInstance(self.refused(url, verify=str(folder)), CertificateRefused)  # not by that name

    def test_environment(self) -> None:
        """The one that the environment names is trusted where nothing was passed."""
        url = self.server().url
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", name: ONE}):
                self.assertEqual(self.said(url), "ok")
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}):
            self.assertIsInstance(self.refused(url), CertificateRefused)
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": "/nosuch/file"}):
            with self.assertRaisesRegex(LocalProtocolError, "REQUESTS_CA_BUNDLE names '/nosuch/file'"):
                self.said(url)

    def test_wrong_name(self) -> None:
        """A certificate of an authority that is trusted, for another name."""
        url, ask = self.server().url, socket.getaddrinfo

        def here(host: str, *arguments: Any) -> Any:
            return ask("127.0.0.1" if host == "db.example" and not arguments[-1] else host, *arguments)

        with mock.patch.object(socket, "getaddrinfo", here):
            error = self.refused(url.replace("localhost", "db.example"), verify=ONE)
        self.assertIsInstance(error, CertificateRefused)
        self.assertRegex(str(error), "no TLS connection: .*Hostname mismatch.*'db.example'")
        self.assertRegex(str(error), "use the name that is in its certificate")  # no more trust mends that
        self.assertNotIn("verify=", str(error))

    def test_context(self) -> None:
        """A context says it all."""
        context = ssl.create_default_context(cafile=ONE)
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", ssl.VerifyFlags(0))
        self.assertEqual(self.said(self.server().url, context=context), "ok")
        self.assertEqual(context.verify_mode, ssl.CERT_REQUIRED)
        self.assertTrue(context.check_hostname)

    def test_not_verified(self) -> None:
        """verify=False is obeyed, with a warning."""
        with self.assertWarnsRegex(Warning, "Unverified HTTPS"):
            self.assertEqual(self.said(self.server().url, verify=False), "ok")


class Client(TrustCase):
    """That of the client."""

    def test_shown(self) -> None:
        """It is shown to a server that asks, alone or with its key apart."""
        url = self.server(wants=ONE).url
        certificate, key = self._apart()
        for cert in (ONE, (certificate, key)):
            self.assertEqual(self.said(url, verify=ONE, cert=cert), "ok")

    def test_missing(self) -> None:
        """Where there is none the message says what to pass, unless the server just hangs up."""
        transport = Transport(self.server(wants=ONE).url, trust=Trust(ONE))
        self.addCleanup(transport.close)
        with self.assertRaisesRegex(ConnectionFailed, "pass that as cert=|the connection broke"):
            transport.send("GET", "/", Trace())

    def _apart(self) -> tuple[str, str]:
        """Return the certificate and the key as files of their own."""
        text, folder = Path(ONE).read_text(), self.folder()
        begin = text.index("-----BEGIN CERTIFICATE")
        end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----\n")
        (folder / "cert.pem").write_text(text[begin:end])
        (folder / "key.pem").write_text(text[:begin] + text[end:])
        return str(folder / "cert.pem"), str(folder / "key.pem")


class Refused(Case):
    """What cannot be meant."""

    def test_at_once(self) -> None:
        """What is no file is told before anything is connected to."""
        for options, why in (
            ({"verify": "/nosuch"}, "verify='/nosuch': there is no such file"),
            ({"verify": 5}, "verify=5: expected True, False, or a file or folder"),
            ({"cert": "/nosuch"}, "cert='/nosuch': there is no such file"),
            ({"cert": (ONE, "/nosuch")}, "cert='/nosuch': there is no such file"),
            ({"cert": (ONE, ONE, ONE)}, r"cert=\(.*expected a file, or two"),
            ({"context": ssl.create_default_context(), "verify": False}, "not both"),
            ({"context": ssl.create_default_context(), "cert": ONE}, "not both"),
            ({"context": "tls"}, "expected an ssl.SSLContext"),
        ):
            with self.subTest(options), self.assertRaisesRegex(LocalProtocolError, why):
                Trust(**options)  # type: ignore[arg-type]

    def test_when_used(self) -> None:
        """What is no certificate is told when TLS is to be spoken, and nobody is asked for a password."""
        empty = self.folder() / "empty.pem"
        empty.write_text("")
        for options, why in (
            ({"verify": str(empty)}, "holds no certificates of authorities in PEM"),
            ({"cert": str(empty)}, "no certificate with its key in PEM"),
            ({"cert": (ONE, ANOTHER)}, "no certificate with its key in PEM"),
            ({"cert": (ONE, LOCKED)}, "the key is locked with a password; load it into an ssl.SSLContext"),
        ):
            trust = Trust(**options)  # type: ignore[arg-type]
            with self.subTest(options), self.assertRaisesRegex(LocalProtocolError, why):
                trust.context  # noqa: B018

    def test_one_context(self) -> None:
        """It is made once."""
        trust = Trust()
        self.assertIs(trust.context, trust.context)
