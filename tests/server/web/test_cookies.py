"""Session cookies."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import StorageError
from connectordb.server.rights.accounts import LoginRefused, look_up
from connectordb.server.web import cookies
from connectordb.server.web.cookies import FILE_NAME, Cookies, load_secret

from ...support.case import Case
from ...support.clock import SteppedClock
from ..handlers.case import HandlerCase

SECRET = b"s" * 32


class Sessions(HandlerCase):
    """From a caller to a cookie and back."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = SteppedClock()
        self.cookies = Cookies(SECRET, 120, self.clock)

    def given(self, path: str = "mara/lamp", remember: bool = True) -> str:
        """Return what a browser sends back."""
        return self.cookies.give(self.caller(path), remember, False).partition(";")[0]

    def who(self, header: str) -> str:
        """Return whom a ``Cookie`` header logs in."""
        found = self.cookies.read(header)
        return self.read(lambda reader: look_up(reader, found)).caller.path

    def test_attributes(self) -> None:
        """Scripts cannot read it, other sites cannot use it, and it goes the way that it came."""
        lamp = self.caller("mara/lamp")
        value = r"\Aconnectordb-session=[\w.-]+; Path=/"
        self.assertRegex(
            self.cookies.give(lamp, True, False), value + r"; Max-Age=10368000; HttpOnly; SameSite=Strict\Z"
        )
        self.assertRegex(self.cookies.give(lamp, False, True), value + r"; HttpOnly; SameSite=Strict; Secure\Z")
        self.assertRegex(
            self.cookies.take(False), r"\Aconnectordb-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict\Z"
        )

    def test_there_and_back(self) -> None:
        """It says who one was, among other cookies too."""
        cookie = self.given()
        for header in (cookie, f"a=b; {cookie}", f"{cookie};x", f"x=connectordb-session; {cookie}"):
            with self.subTest(header[:20]):
                self.assertEqual(self.who(header), "mara/lamp")

    def test_holds_no_key(self) -> None:
        """The API key cannot be read out of it, nor tried out on it."""
        cookie = self.given().partition("=")[2]
        payload = cookie.partition(".")[0]
        plain = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        self.assertNotIn(b"lamp-key", plain)
        names, proof, _ = json.loads(plain)
        self.assertEqual(names, ["mara", "lamp"])
        self.assertNotEqual(Cookies(b"t" * 32, 120)._proof(names, "lamp-key"), proof)

    def test_ends_with_the_key(self) -> None:
        """Another API key, or none, or no device, ends its sessions; another device's key is no proof."""
        cookie = self.given()
        lamp = self.caller("mara/lamp").device
        assert lamp is not None
        for key in ("other", "", None):
            with self.subTest(key):
                if key is None:
                    self.write(lambda writer: writer.delete_device(lamp.id))
                else:
                    self.write(lambda writer, key=key: writer.update_device(lamp.id, {"apikey": key}))  # type: ignore[misc]
                with self.assertRaises(LoginRefused) as caught:
                    self.who(cookie)
                self.assertEqual(str(caught.exception), "The requested device was not found.")

    def test_ends_with_time(self) -> None:
        """A remembered one counts for the days that are configured, another one for thirty at most."""
        long, short = self.given(), self.given(remember=False)
        self.clock.advance(31 * 86400)
        self.assertEqual(self.who(long), "mara/lamp")
        self.assertIsNone(self.cookies.read(short))
        self.clock.advance(90 * 86400)
        self.assertIsNone(self.cookies.read(long))

    def test_others(self) -> None:
        """What another server signed, or what was changed, is ignored."""
        cookie = self.given()
        self.assertIsNone(Cookies(b"t" * 32, 120, self.clock).read(cookie))
        for index in range(len("connectordb-session="), len(cookie), 7):
            changed = cookie[:index] + ("A" if cookie[index] != "A" else "B") + cookie[index + 1 :]
            with self.subTest(index):
                self.assertIsNone(self.cookies.read(changed))


class Reading(Case):
    """Whatever is sent as a cookie."""

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Anything but what we made is nobody's."""
        made = Cookies(SECRET, 120)
        self.assertIsNone(made.read(text))
        self.assertIsNone(made.read(f"connectordb-session={text}"))


class Secrets(Case):
    """The secret in the folder."""

    def setUp(self) -> None:
        super().setUp()
        holder = tempfile.TemporaryDirectory(prefix="connectordb-test-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def test_kept(self) -> None:
        """It is made once, for the owner alone."""
        secret = load_secret(self.folder)
        self.assertEqual((load_secret(self.folder), len(secret)), (secret, 32))
        self.assertEqual(os.listdir(self.folder), [FILE_NAME])
        if os.name == "posix":
            self.assertEqual(stat.S_IMODE((self.folder / FILE_NAME).stat().st_mode), 0o600)

    def test_damaged(self) -> None:
        """One that is damaged is made anew, and that is told."""
        (self.folder / FILE_NAME).write_bytes(b"half")
        with self.assertLogs(cookies.log, "WARNING") as logged:
            secret = load_secret(self.folder)
        self.assertEqual(len(logged.output), 1)
        self.assertEqual(load_secret(self.folder), secret)

    def test_unreadable(self) -> None:
        """What cannot be read or written is told with its name."""
        (self.folder / FILE_NAME).mkdir()
        with self.assertRaisesRegex(StorageError, re.escape(FILE_NAME)):
            load_secret(self.folder)
        with self.assertRaisesRegex(StorageError, "writing"):
            load_secret(self.folder / "nowhere")
