"""The file of profiles."""

from __future__ import annotations

import os
import stat
import threading
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb import ConfigurationError, LocalProtocolError
from connectordb.client.settings import profiles
from connectordb.client.settings.profiles import Profiles, selected

from ...support.case import Case

TEXT = f"""\
# mine
[default]
url = https://a, https://b
apikey = a%key#1;2
ca = {__file__}
cert = {__file__}
cert_key = ~
proxy = socks5h://localhost:1080
timeout = 5,60
order = random

; of the other house
[home]
url = http://localhost:3124
"""


class ProfilesCase(Case):
    """A folder, and a file in it."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder() / "new" / "profiles.ini"

    def written(self, text: str | bytes = TEXT, mode: int = 0o600) -> Profiles:
        """Return the profiles of a file that says *text*."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.touch()
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.file.chmod(mode)
        return Profiles(self.file)


class Reading(ProfilesCase):
    """What a file says, and what it cannot say."""

    def test_whole(self) -> None:
        """Everything that a profile may say arrives as the argument that it stands for."""
        said = self.written().read("default")
        assert said is not None
        self.assertEqual((said.servers, said.apikey), (("https://a", "https://b"), "a%key#1;2"))
        self.assertEqual(
            {name: value for name, (value, _) in said.options.items()},
            {
                "verify": __file__,
                "cert": (__file__, os.path.expanduser("~")),
                "proxies": {"http": "socks5h://localhost:1080", "https": "socks5h://localhost:1080"},
                "timeout": (5.0, 60.0),
                "order": "random",
            },
        )
        self.assertEqual(said.key_source, f"profile 'default' in {self.file}")

    def test_names(self) -> None:
        """Names are listed in the order of the file; one that is not there is nothing."""
        found = self.written()
        self.assertEqual(found.names(), ["default", "home"])
        self.assertIsNone(found.read("elsewhere"))
        self.assertEqual(found.said("home"), {"url": "http://localhost:3124"})

    def test_no_file(self) -> None:
        """Where there is no file there are no profiles, and none is made by looking."""
        found = Profiles(self.file)
        self.assertEqual((found.names(), found.read("default"), found.said("default")), ([], None, {}))
        self.assertFalse(self.file.parent.exists())
        self.assertEqual(Profiles(os.devnull).names(), [])

    def test_bad(self) -> None:
        """What makes no sense is told with file and line, or profile and setting; never with what the line says."""
        for text, said in (
            ("[a]\nurl = https://a\nhidden\n", r"line 3: neither"),
            ("url = hidden\n", r"line 1: no \[profile\]"),
            ("[a]\napikey = hidden\napikey = hidden\n", "line 3: said twice"),
            ("[a]\nurl = a\n[a]\napikey = hidden\n", "line 3: said twice"),
            ("[a]\napikey = hidden\n", "profile 'a'.*no 'url'"),
            ("[a]\nurl =\napikey = hidden\n", "profile 'a'.*no 'url'"),
            ("[a]\nurl = https://mara:hidden@a\n", "profile 'a'.*password"),
            ("[a]\nurl = a\npassword = hidden\n", "'password' is no setting; there are url, apikey"),
            ("[a]\nurl = a\ntimeout = soon\n", "'soon' is no timeout"),
            ("[a]\nurl = a\norder = best\n", "'best' is no order"),
            ("[a]\nurl = a\ncert_key = x\n", "goes with 'cert'"),
            ("[a]\nurl = a\nca = /nosuch.pem\n", "profile 'a'.*'/nosuch.pem': there is no such file"),
            (b"[a]\nurl = \xff\n", "UTF-8"),
        ):
            with self.subTest(text), self.assertRaisesRegex(ConfigurationError, said) as caught:
                self.written(text).read("a")
            self.assertIn(str(self.file), str(caught.exception))
            self.assertNotIn("hidden", f"{caught.exception} {caught.exception.__cause__}")

    @unittest.skipIf(os.name == "nt", "modes are POSIX's")
    def test_open_to_others(self) -> None:
        """A file that others may read or change is refused, with what to do."""
        for mode, may in ((0o644, "read"), (0o640, "read"), (0o660, "changed"), (0o602, "changed")):
            with (
                self.subTest(oct(mode)),
                self.assertRaisesRegex(ConfigurationError, f"{may} by others; say: chmod 600"),
            ):
                self.written(mode=mode).read("default")
        self.assertIsNotNone(self.written(mode=0o400).read("default"))

    @unittest.skipIf(os.name == "nt" or os.getuid() != 0, "only root gives files away")
    def test_of_another(self) -> None:
        """So is one that belongs to another user."""
        self.written()
        os.chown(self.file, 12345, -1)
        with self.assertRaisesRegex(ConfigurationError, "another user"):
            Profiles(self.file).read("default")


class Writing(ProfilesCase):
    """The file belongs to its owner from its first byte on, and keeps what it says besides."""

    def test_new(self) -> None:
        """File and folder are made for their owner only."""
        Profiles(self.file).save("default", {"url": "https://a", "apikey": "key"})
        said = Profiles(self.file).read("default")
        assert said is not None
        self.assertEqual((said.servers, said.apikey), (("https://a",), "key"))
        if os.name != "nt":
            self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
            self.assertEqual(stat.S_IMODE(self.file.parent.stat().st_mode), 0o700)

    @unittest.skipIf(os.name == "nt", "modes are POSIX's")
    def test_no_window(self) -> None:
        """At no moment is there a file with a key in it that others may read, whatever the umask."""
        modes: list[int] = []
        replace, before = os.replace, os.umask(0)
        self.addCleanup(os.umask, before)

        def watching(source: str, target: str) -> None:
            modes.append(stat.S_IMODE(os.stat(source).st_mode))
            replace(source, target)

        with mock.patch("os.replace", watching), mock.patch("os.chmod", side_effect=AssertionError):
            Profiles(self.file).save("default", {"url": "a", "apikey": "key"})
        modes += [stat.S_IMODE(path.stat().st_mode) for path in self.file.parent.iterdir()]
        self.assertEqual([mode & 0o077 for mode in modes], [0] * len(modes))

    def test_keeps_the_rest(self) -> None:
        """Other profiles and comments stay as they are when one is written anew, added or removed."""
        found = self.written()
        found.save("default", {"url": "https://c"})
        self.assertEqual(
            self.file.read_text(),
            "# mine\n[default]\nurl = https://c\n\n; of the other house\n[home]\nurl = http://localhost:3124\n",
        )
        found.save("work", {"url": "https://w"})
        self.assertEqual(found.names(), ["default", "home", "work"])
        self.assertTrue(found.remove("default"))
        self.assertFalse(found.remove("default"))
        self.assertTrue(found.remove("work"))
        self.assertEqual(found.names(), ["home"])
        self.assertIn("# mine\n", self.file.read_text())
        self.assertIn("; of the other house\n[home]\n", self.file.read_text())

    def test_not_written_over(self) -> None:
        """A file that is none of ours, or open to others, stays as it is."""
        for text, mode in (("nonsense", 0o600), (TEXT, 0o644)):
            found = self.written(text, mode)
            with self.assertRaises(ConfigurationError):
                found.save("default", {"url": "a"})
            self.assertEqual(self.file.read_text(), text)

    def test_names(self) -> None:
        """A name that would break the file is refused."""
        for name in ("", "a]b", "a\nb", "a b", "[", "-x"):
            with self.subTest(name), self.assertRaises(LocalProtocolError):
                Profiles(self.file).save(name, {"url": "a"})
        self.assertFalse(self.file.exists())

    def test_values(self) -> None:
        """A value of several lines is refused: it could name another server."""
        with self.assertRaises(LocalProtocolError):
            Profiles(self.file).save("a", {"url": "https://a", "apikey": "key\nurl = https://evil"})
        self.assertFalse(self.file.exists())

    @unittest.skipIf(os.name == "nt", "links are POSIX's")
    def test_link(self) -> None:
        """A link stays one: the file that it leads to is replaced."""
        self.written()
        link = self.folder() / "link.ini"
        link.symlink_to(self.file)
        Profiles(link).save("more", {"url": "a"})
        self.assertTrue(link.is_symlink())
        self.assertIn("more", Profiles(self.file).names())

    def test_at_the_same_time(self) -> None:
        """Of many who log in at the same time none is forgotten."""
        threads = [
            threading.Thread(target=Profiles(self.file).save, args=(f"p{number}", {"url": "a"})) for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(Profiles(self.file).names()), [f"p{number}" for number in range(8)])

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("", "x", "y"))), max_size=8))
    def test_like_a_dict(self, steps: list[tuple[str, str]]) -> None:
        """After any saves and removals the file says what a dict would."""
        self.file.unlink(missing_ok=True)
        found, expected = Profiles(self.file), dict[str, str]()
        for name, host in steps:
            if host:
                found.save(name, {"url": f"https://{host}"})
                expected[name] = f"https://{host}"
            else:
                self.assertEqual(found.remove(name), expected.pop(name, None) is not None)
        self.assertEqual({name: found.said(name)["url"] for name in found.names()}, expected)


class Selecting(ProfilesCase):
    """Which profile it is."""

    @contextmanager
    def without_home(self) -> Iterator[None]:
        """Have no home known."""
        with (
            mock.patch.dict(os.environ),
            mock.patch("platformdirs.user_config_dir", return_value="~/.config/connectordb"),
        ):
            os.environ.pop("CONNECTORDB_PROFILE_FILE", None)
            yield

    def test_which(self) -> None:
        """The one that was passed, or of the environment, or the default one."""
        self.written()
        variables = {"CONNECTORDB_PROFILE_FILE": str(self.file)}
        for name, more, server in (
            (None, {}, "https://a"),
            ("home", {}, "http://localhost:3124"),
            (None, {"CONNECTORDB_PROFILE": "home"}, "http://localhost:3124"),
            ("default", {"CONNECTORDB_PROFILE": "home"}, "https://a"),
        ):
            found = selected(name, {**variables, **more})
            assert found is not None
            self.assertEqual(found.servers[0], server)

    def test_not_there(self) -> None:
        """One that was named and is not there is an error that names it, and those that are; the default one is not."""
        self.written("[home]\nurl = a\n")
        variables = {"CONNECTORDB_PROFILE_FILE": str(self.file)}
        self.assertIsNone(selected(None, variables))
        with self.assertRaisesRegex(
            ConfigurationError, "the profile 'x' is not in .* there are: home; 'connectordb login"
        ):
            selected("x", variables)
        with self.assertRaisesRegex(ConfigurationError, "CONNECTORDB_PROFILE='x' is not in"):
            selected(None, {**variables, "CONNECTORDB_PROFILE": "x"})
        with self.assertRaises(LocalProtocolError):
            selected("no name", variables)

    def test_file_not_there(self) -> None:
        """So is a file that was named and is not there."""
        with self.assertRaisesRegex(ConfigurationError, "CONNECTORDB_PROFILE_FILE=.*no such file"):
            selected(None, {"CONNECTORDB_PROFILE_FILE": str(self.file)})
        self.assertIsNone(selected(None, {"CONNECTORDB_PROFILE_FILE": os.devnull}))
        with self.assertRaisesRegex(ConfigurationError, "there is none"):
            selected("x", {"CONNECTORDB_PROFILE_FILE": os.devnull})

    def test_usual_place(self) -> None:
        """The usual place is in the user's configuration; where no home is known there is none, not one beside the program."""
        found = Profiles(variables={}).file
        assert found is not None
        self.assertTrue(found.is_absolute())
        self.assertEqual((found.parent.name, found.name), ("connectordb", "profiles.ini"))
        with self.without_home():
            self.assertIsNone(Profiles(variables={}).file)
            self.assertIsNone(selected(None, {}))
            with self.assertRaisesRegex(ConfigurationError, "set CONNECTORDB_PROFILE_FILE"):
                Profiles(variables={}).save("a", {"url": "a"})

    def test_unreadable(self) -> None:
        """A home that is somebody else's is no reason to fail for a program that named no profile."""
        with mock.patch.object(profiles.Profiles, "_text", side_effect=PermissionError(13, "Permission denied")):
            with self.assertLogs("connectordb.client.settings.profiles", "INFO"):
                self.assertIsNone(selected(None, {}))
            with self.assertRaisesRegex(ConfigurationError, "cannot be read: Permission denied"):
                selected("home", {})


class Paths(Case):
    """Names of files."""

    def test_home(self) -> None:
        """A ~ is the user's home."""
        self.assertEqual(Profiles("~/p.ini").file, Path.home() / "p.ini")
