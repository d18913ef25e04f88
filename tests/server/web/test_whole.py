"""Short answers, sent as bytes."""

from __future__ import annotations

import requests

from .test_app import AppCase


def told(answer: requests.Response) -> dict[str, str]:
    """Return the headers that are not different each time."""
    return {
        name: value for name, value in answer.headers.items() if name not in ("Connection", "Date", "Server-Timing")
    }


class Same(AppCase):
    """Nobody can tell them from those that aiohttp makes."""

    def test_same(self) -> None:
        """Status, headers and body are those that a client gets who asks for the connection's end, which is rare."""
        self.send("POST", "/crud/test/user/s", {})
        for verb, path, body in (
            ("GET", "/?q=this", None),  # may be kept
            ("GET", "/crud/test/user/s", None),
            ("GET", "/crud/test/user/s/data?i1=0&i2=0", None),
            ("POST", "/crud/test/user/s/data", [{"t": 1, "d": "ü"}]),
            ("GET", "/crud/test/user/s/data?q=length", None),
        ):
            with self.subTest(path):
                whole = self.send(verb, path, body)
                other = self.send(verb, path, body, headers={"Connection": "close"})
                self.assertEqual((whole.status_code, whole.reason), (other.status_code, other.reason))
                self.assertEqual(told(whole), told(other))
                self.assertEqual(set(whole.headers), set(other.headers) - {"Connection"})

    def test_one_after_the_other(self) -> None:
        """Many go over one connection, asked for ahead of their turn too, and the last ends it."""
        ask = b"GET /api/v1/meta/version HTTP/1.1\r\nHost: x\r\n"
        answers = self.raw((ask + b"\r\n") * 20, ask + b"Connection: close\r\n\r\n")
        self.assertEqual(answers.count(b"HTTP/1.1 200 OK\r\n"), 21)
        self.assertTrue(answers.endswith(b"\r\n\r\n0.3.0"), answers[-60:])
