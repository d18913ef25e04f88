"""What went wrong, in words, and by which exception."""

from __future__ import annotations

import socket
import ssl
import unittest

import requests
from urllib3.exceptions import LocationParseError, ProtocolError, ProxyError

from connectordb.client.http.allowance import Allowance
from connectordb.client.http.failures import translated
from connectordb.client.terms.judging import Fate
from connectordb.client.terms.timeouts import Timeout
from connectordb.client.terms.trace import Trace
from connectordb.exceptions import ClosedError, ConnectionFailed, LocalProtocolError, TimedOut
from connectordb.network import Proxy, ProxyFailed
from connectordb.runtime.clock import SYSTEM


class Telling(unittest.TestCase):
    """From what libraries raise."""

    def allowance(self, phase: str = "read", connects: bool = False) -> Allowance:
        """Return what is known of a request that failed."""
        timeout = Timeout()
        allowance = Allowance(timeout, timeout.deadline(), Trace(), SYSTEM)
        if connects:
            allowance.begin_connecting()
        allowance.trace.phase = phase
        return allowance

    def said(self, error: Exception, **known: object) -> str:
        """Return the text, which has no secret and no object in it."""
        text = str(translated(error, "GET /x", self.allowance(**known)))  # type: ignore[arg-type]
        self.assertNotIn("object at 0x", text)
        return text

    def test_deepest(self) -> None:
        """What lies deepest is told, however it was wrapped."""
        error = requests.exceptions.ConnectionError(
            ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
        )
        self.assertEqual(self.said(error), "GET /x: the connection broke: reset by peer")
        self.assertEqual(self.said(OSError()), "GET /x: the connection broke: OSError")

    def test_in_a_handler(self) -> None:
        """What the caller was handling when the request began has nothing to do with it."""
        for own in (ValueError("the sensor's own"), TimeoutError("the sensor's own"), UnicodeError("the sensor's own")):
            with self.subTest(own):
                try:
                    raise own
                except Exception:
                    allowance = self.allowance("connect", connects=True)
                    try:
                        try:
                            raise ConnectionRefusedError(111, "Connection refused")
                        except OSError as error:
                            raise requests.exceptions.ConnectionError("refused") from error
                    except OSError as error:
                        failure = translated(error, "GET /x", allowance)
                self.assertIsInstance(failure, ConnectionFailed)
                self.assertIn("GET /x: no connection: Connection refused; is the server running", str(failure))

    def test_late(self) -> None:
        """Each phase has its own words, and how long was waited."""
        for phase, said in (
            ("pool", "no connection was free within 60 s; allow more of them with pool_size="),
            ("resolve", "the server's name was not found within 10 s; is there a network"),
            ("connect", "no connection within 10 s; is the server there, and is a firewall between?"),
            ("tls", "no TLS connection within 10 s; does the server speak HTTPS?"),
            ("write", "the request was not taken within 60 s; try again"),
            ("read", "no answer within 60 s; try again, or allow more with timeout="),
        ):
            error = translated(TimeoutError("timed out"), "GET /x", self.allowance(phase))
            self.assertIsInstance(error, TimedOut)
            self.assertEqual(error.phase, phase)  # type: ignore[attr-defined]
            self.assertIn(f"GET /x: {said}", str(error))

    def test_connecting(self) -> None:
        """Before there is a connection nothing was sent."""
        for error, said in (
            (
                socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
                "the server's name was not found (Name or",
            ),
            (
                ConnectionRefusedError(111, "Connection refused"),
                "no connection: Connection refused; is the server running",
            ),
            (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "something speaks plain HTTP there"),
            (InterruptedError("closed"), "under way when the connections were closed here"),
        ):
            allowance = self.allowance("connect", connects=True)
            self.assertIn(said, str(translated(error, "GET /x", allowance)))
            self.assertIs(allowance.trace.fate, Fate.UNSENT)

    def test_proxy(self) -> None:
        """Where a proxy leads to the server it is named, without its password, with who says that it is to be used."""
        proxy = Proxy("http://mara:secret@proxy:8080", "https_proxy of the environment")
        named = "the proxy http://proxy:8080 (https_proxy of the environment)"
        for error, phase, said in (
            (
                ProxyError("no", OSError("Tunnel connection failed: 407 Auth")),
                "connect",
                f"GET /x: {named} gave no connection: Tunnel connection failed: 407 Auth; put a name and a password into",
            ),
            (ProxyFailed(proxy, "it hung up"), "connect", f"GET /x: {named} gave no connection: it hung up"),
            (
                TimeoutError(),
                "connect",
                f"GET /x: {named} gave no connection within 10 s; does it answer, and the server",
            ),
            (
                TimeoutError(),
                "tls",
                f"GET /x: no TLS connection within 10 s; does the server speak HTTPS?; the way there leads through {named}",
            ),
            (ssl.SSLError(1, "[SSL] bad"), "tls", f"; the way there leads through {named}"),
            (
                ConnectionResetError(104, "reset"),
                "read",
                f": the connection broke: reset; the way there leads through {named}",
            ),
        ):
            with self.subTest(said):
                told_ = str(translated(error, "GET /x", self.allowance(phase, phase != "read"), proxy))
                self.assertIn(said, told_)
                self.assertNotIn("secret", told_)

    def test_fate(self) -> None:
        """After that, whether all of it was sent decides: nobody acts on a part."""
        for complete, error, fate in (
            (False, ConnectionResetError(), Fate.UNSENT),
            (False, TimeoutError(), Fate.UNSENT),
            (True, ConnectionResetError(), Fate.BROKEN),
            (True, TimeoutError(), Fate.SILENT),
        ):
            allowance = self.allowance()
            allowance.trace.complete = complete
            translated(error, "GET /x", allowance)
            self.assertIs(allowance.trace.fate, fate)

    def test_address(self) -> None:
        """An address that is none is the caller's mistake."""
        for error in (
            requests.exceptions.InvalidProxyURL("Please check proxy URL."),
            LocationParseError("x"),
            UnicodeError("label empty or too long"),
        ):
            self.assertIsInstance(translated(error, "GET /x", self.allowance("pool")), LocalProtocolError)

    def test_named(self) -> None:
        """Exceptions of ours keep their class and what they know."""
        late = translated(TimedOut("none was free", "pool"), "GET /x", self.allowance())
        assert isinstance(late, TimedOut)
        self.assertEqual((str(late), late.phase), ("GET /x: none was free", "pool"))
        for kind in (ConnectionFailed, LocalProtocolError, ClosedError):
            self.assertEqual(self.said(kind("so")), "GET /x: so")
