"""What the documentation shows runs, what it cites is there, and what is public is in it."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from unittest import mock

import connectordb
from connectordb import exceptions
from connectordb.server import running
from tests.support import messages, shown_commands
from tests.support.blocks import Block, Shell, blocks, command_lines, run, to_run
from tests.support.case import Case
from tests.support.server import run_server
from tests.support.shells import Commands, Terminal

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NEEDED = {
    ".to_": "pyarrow",
    "--parquet": "pyarrow",
    ".plot(": "matplotlib",
    "--png": "matplotlib",
    "connectordb plot": "plotext",
    "hours ago": "dateparser",
}  # what is not there on every machine, by the calls that need it
URL = "http://localhost:3124"  # the address that readers have
ADDRESSES = (URL, "https://data.example.org")  # and where theirs is elsewhere
HAS_SPHINX = bool(importlib.util.find_spec("sphinx") and importlib.util.find_spec("myst_parser"))

#: Waits for the pages, which are built while the code in them runs, and returns the folder that they are in.
_built: Callable[[], Path]


def setUpModule() -> None:
    """Begin to build the pages, in a process of their own; as they are published, CI builds them."""
    global _built
    if not HAS_SPHINX:
        return
    temporary = tempfile.TemporaryDirectory(prefix="connectordb-docs-")
    unittest.addModuleCleanup(temporary.cleanup)
    folder, log = Path(temporary.name) / "html", Path(temporary.name) / "log"
    command = "-m sphinx -q -W --keep-going -t unstyled -b html".split()
    with log.open("wb") as complaints:
        process = subprocess.Popen([sys.executable, *command, DOCS, folder], stdout=complaints, stderr=complaints)
    unittest.addModuleCleanup(process.wait, 30)
    unittest.addModuleCleanup(process.kill)

    def built() -> Path:
        if process.wait(300):
            raise AssertionError(f"the pages do not build:\n{log.read_text()}")
        return folder

    _built = built


class BlocksTests(Case):
    """The code of a document is found, and runs as a reader would run it."""

    def write(self, name: str, text: str) -> Path:
        """Return a document of that *text*."""
        path = self.folder() / name
        path.write_text(text, encoding="utf-8")
        return path

    def test_restructured(self) -> None:
        """Sessions, Python and command lines of reStructuredText are found, other languages are not, and marked ones do not run."""
        path = self.write(
            "page.rst",
            "Title\n=====\n\n>>> 1 + 1\n2\n\n.. code-block:: sh\n\n   ls\n\n"
            ".. code-block:: python\n   :class: not-run\n\n   1 / 0\n\n"
            ".. code-block:: python\n   :caption: x\n\n   x = 1\n\n   y = 2\n\n.. code-block:: toml\n\n   x = 1\n\nEnd.\n",
        )
        run = [
            Block(4, ">>> 1 + 1\n2", "session"),
            Block(8, "\nls\n", "sh"),
            Block(18, "\nx = 1\n\ny = 2\n", "python"),
        ]
        self.assertEqual(to_run(path), run)
        self.assertEqual(blocks(path), [*run[:2], Block(13, "\n1 / 0\n", "python", runs=False), run[2]])

    def test_markdown(self) -> None:
        """Fences of Python and of command lines are found, others are not, and marked ones do not run."""
        path = self.write(
            "page.md", "```toml\na = 1\n```\n\n<!-- not run -->\n\n```python\n1 / 0\n```\n\n```sh\nls\n```\n"
        )
        self.assertEqual(blocks(path), [Block(8, "1 / 0", "python", runs=False), Block(12, "ls", "sh")])

    def test_command_lines(self) -> None:
        """A command goes on behind a backslash and to the end of a text; comments are none; what is said stands below a ``$``."""
        block = Block(5, "\necho a \\\n  b\n# nothing\necho 'c\nd' | cat", "sh")
        self.assertEqual(list(command_lines(block)), [(6, "echo a   b", None), (9, "echo 'c\nd' | cat", None)])
        block = Block(5, "$ a\nsaid\n\n$ b\n$ c", "console")
        self.assertEqual(list(command_lines(block)), [(5, "a", "said\n"), (8, "b", ""), (9, "c", "")])

    def test_commands_that_fail(self) -> None:
        """A command that fails, or says something else than is shown, fails, and the line is told; numbers may differ."""
        page = self.write("page.rst", ".. code-block:: console\n\n   $ count\n   17 apples and …\n")
        run(page, {}, lambda command: (1, "5 apples\nand a pear\n"))
        with self.assertRaisesRegex(AssertionError, r"(?s)page\.rst, line 3: count.*5 pears"):
            run(page, {}, lambda command: (0, "5 pears\n"))
        with self.assertRaisesRegex(AssertionError, r"(?s)line 2: ls\n.*status 3:\noh"):
            run(self.write("page.md", "```sh\nls\n```\n"), {}, lambda command: (3, "oh"))

    def test_one_namespace(self) -> None:
        """A block sees the names of those before it, whichever kind they are."""
        run(
            self.write("page.rst", "..\n\n>>> x = 'there'\n\n.. code:: python\n\n   y = x + '!'\n\n>>> y\n'here!'\n"),
            {"there": "here"},
        )

    def test_wrong_output(self) -> None:
        """Output that is not what the page shows fails, and the line is told."""
        with self.assertRaisesRegex(AssertionError, r"page\.rst, line 1"):
            run(self.write("page.rst", ">>> 1 + 1\n3\n"), {})

    def test_raising(self) -> None:
        """A block that raises fails, and the line is told."""
        with self.assertRaisesRegex(AssertionError, r"(?s)page\.md, line 2.*line 3.*ZeroDivisionError"):
            run(self.write("page.md", "```python\nx = 1\n1 / 0\n```\n"), {})


class PagesTests(Case):
    """What a page shows, a reader can do."""

    #: What is typed where a page has somebody log in.
    PASSWORDS: ClassVar[dict[str, str]] = {" tom ": "his-own-secret", "assword": "secret", "Again": "secret"}

    #: What goes on until somebody ends it.
    STAYS = re.compile(r"connectordb run |tail -f ")

    commands: ClassVar[Commands | None] = None

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if hasattr(os, "fork"):
            cls.commands = Commands()
            cls.addClassCleanup(cls.commands.close)

    def run_page(self, path: Path) -> None:
        """Run the page at *path* in a folder of its own, against a server with the administrator that pages speak of."""
        root, ours, before = logging.getLogger(), logging.getLogger("connectordb"), os.getcwd()
        logged = root.level, list(root.handlers), ours.level
        folder = self.folder()
        os.chdir(folder)
        try:
            with self.served(path) as url:
                # what is logged in with at the terminal a program finds
                profiles = folder / "profiles.ini"
                profiles.touch(0o600)
                found = {"CONNECTORDB_URL": url, "CONNECTORDB_PROFILE_FILE": str(profiles)}
                with mock.patch.dict(os.environ, found), self.shell(folder, url, found) as shell:
                    run(path, {address: url for address in ADDRESSES}, shell)
        finally:
            os.chdir(before)
            root.setLevel(logged[0])
            root.handlers[:] = logged[1]
            ours.setLevel(logged[2])
            mock.patch.stopall()
            if "matplotlib.pyplot" in sys.modules:
                sys.modules["matplotlib.pyplot"].close("all")

    @contextmanager
    def served(self, path: Path) -> Iterator[str]:
        """Yield the address of the page's server, which it starts itself, or has."""
        lines = [block.text for block in to_run(path) if block.kind in ("sh", "console")]
        if re.search(r"connectordb (run|start) ", "\n".join(lines)):
            with socket.create_server(("localhost", 0)) as free:
                url = f"http://localhost:{free.getsockname()[1]}"
            yield url
        else:
            with run_server(user="mara", password="secret") as server:
                yield server.url

    @contextmanager
    def shell(self, folder: Path, url: str, variables: dict[str, str]) -> Iterator[Shell | None]:
        """Yield what runs the command lines of a page."""
        if self.commands is None:
            yield None
            return
        terminal = Terminal(self.commands, folder, **variables)

        def run(command: str) -> tuple[int, str]:
            for address in ADDRESSES:
                command = command.replace(address, url)
            command = re.sub(r"(connectordb (?:run|start) \S+)", rf"\1 --port {url.rpartition(':')[2]}", command)
            status, said = terminal.run(command, self.PASSWORDS, stays=self.STAYS.search(command) is not None)
            return status, said.replace(url, URL)

        try:
            yield run
        finally:
            terminal.close()
            for database in folder.glob("*/connectordb.db"):
                if left := running(database.parent):  # the page has failed before it stopped its server
                    os.kill(left.pid, signal.SIGTERM)

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_terminal(self) -> None:
        """What is asked is answered, what stays is left alone, and at the end Ctrl-C ends it."""
        assert self.commands is not None
        folder = self.folder()
        terminal = Terminal(self.commands, folder)
        try:
            self.assertEqual(terminal.run("connectordb create db --user mara:secret; exit 3", {})[0], 3)
            status, said = terminal.run("connectordb run db --port 0", {}, stays=True)
            self.assertIn("listening", said)
            server = running(folder / "db")
            assert server is not None
            status, said = terminal.run(f"connectordb login mara --url {server.url}", {" mara ": "secret"})
            self.assertEqual((status, said.split()[0]), (0, "Password"))
        finally:
            terminal.close()
        self.assertIsNone(running(folder / "db"))

    def test_pages(self) -> None:
        """Every page with code runs, from its first block to its last."""
        pages = [*sorted(page for page in DOCS.rglob("*.rst") if to_run(page)), ROOT / "README.md"]
        self.assertGreater(len(pages), 15)
        for page in pages:
            with self.subTest(page.relative_to(ROOT).as_posix()):
                code = "".join(block.text for block in to_run(page))
                for call, library in NEEDED.items():
                    if call in code and importlib.util.find_spec(library) is None:
                        self.skipTest(f"{library} is not installed")
                self.run_page(page)


class CommandLineTests(Case):
    """The command lines that pages show are such that the command takes them."""

    #: It has the commands of the original server.
    ORIGINAL = DOCS / "topics" / "wire.rst"

    def test_pages(self) -> None:
        """Every command and option that is shown is there."""
        import click

        pages = {ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.rst")} - {self.ORIGINAL}
        found = [(page, arguments) for page in sorted(pages) for arguments in shown_commands.shown(page)]
        self.assertGreater(len(found), 100)
        for page, arguments in found:
            with self.subTest(page=page.name, arguments=arguments):
                try:
                    shown_commands.check(arguments)
                except click.UsageError as refused:
                    self.fail(refused.format_message())

    def test_finds(self) -> None:
        """Blocks of a shell, sessions and texts are looked at; what is no ``connectordb`` is not."""
        page = self.folder() / "page.rst"
        page.write_text(
            ".. code-block:: sh\n\n   sudo -u connectordb /opt/bin/connectordb check a  # all\n   ls | connectordb log f \\\n"
            "       insert b > c\n\n.. code-block:: console\n\n   $ connectordb ls\n   connectordb says\n\n"
            ".. code-block:: ini\n\n   connectordb = 1\n\n``connectordb stop DIR``, ``connectordb.db``\n"
        )
        self.assertEqual(
            shown_commands.shown(page), [["check", "a"], ["log", "f", "insert", "b"], ["ls"], ["stop", "DIR", "…"]]
        )

    def test_refuses(self) -> None:
        """An unknown command or option, a missing argument and one too many are told."""
        import click

        for arguments in (["nosuch"], ["ls", "--nosuch"], ["new"], ["stop", "a", "b"], ["log", "f", "nosuch"]):
            with self.subTest(arguments), self.assertRaises(click.UsageError):
                shown_commands.check(arguments)
        for arguments in (["new", "…"], ["check", "--salvage", "…"], ["log", "…"], ["ls", "--help"]):
            shown_commands.check(arguments)


class MessageTests(Case):
    """The messages that the page of troubles explains are such as the package says."""

    def test_troubleshooting(self) -> None:
        """Each is in the code, word for word between what differs."""
        said = messages.texts(ROOT / "connectordb")
        page = (DOCS / "troubleshooting.rst").read_text(encoding="utf-8")
        explained = re.findall(r":class: message\n\n((?:   .*\n)+)", page)
        self.assertGreater(len(explained), 30)
        for message in "".join(explained).splitlines():
            with self.subTest(message):
                self.assertGreater(len(message.replace(messages.SOME, "").strip()), 11, "too little to find it by")
                self.assertEqual(messages.unsaid(message, said), [])

    def test_unsaid(self) -> None:
        """What no code says is found, also in a message that is put together."""
        folder = self.folder()
        (folder / "a.py").write_text("x = f'no {1} here, ' 'or {2}'\ny = 'gone; look there'\n")
        said = messages.texts(folder)
        self.assertEqual(messages.unsaid("no … here, or …: gone; look there", said), [])
        self.assertEqual(messages.unsaid("no … there, or never", said), ["there, or never"])


class CitationTests(Case):
    """What is cited from the code and the top-level files is there."""

    def cited(self, pattern: str) -> set[tuple[str, ...]]:
        """Return what *pattern* finds in the code, the tests and the top-level documents."""
        files = [*ROOT.glob("connectordb/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("*.md"), ROOT / "setup.py"]
        return {match.groups() for file in files for match in re.finditer(pattern, file.read_text(encoding="utf-8"))}

    def test_pages(self) -> None:
        """Every ``docs/….rst`` that a file cites exists."""
        for (page,) in sorted(self.cited(r"\b(docs/[\w/.]+\.(?:rst|svg))\b")):
            with self.subTest(page):
                self.assertTrue((ROOT / page).is_file())

    def test_files(self) -> None:
        """Every file of the package, of tests and benchmarks that a page for contributors names exists."""
        pages = [DOCS / "topics" / "design.rst", *(DOCS / "project").glob("*.rst"), ROOT / "CONTRIBUTING.md"]
        named = {name for page in pages for name in re.findall(r"`(\w+(?:/\w+)+(?:\.py)?)`", page.read_text("utf-8"))}
        self.assertGreater(len(named), 25)
        for name in sorted(named):
            with self.subTest(name):
                self.assertTrue((ROOT / name).exists() or (ROOT / "connectordb" / name).exists())

    def test_sections(self) -> None:
        """Every section of a page that a file cites, by its heading in quotes, exists."""
        for page, section in sorted(self.cited(r'(docs/[\w/.]+\.rst)``,\s+"([^"]+)"')):
            with self.subTest(page=page, section=section):
                headings = re.findall(r"^(\S.*)\n([-=~^#])\2+$", (ROOT / page).read_text(encoding="utf-8"), re.M)
                self.assertIn(section, [heading for heading, _ in headings])


@unittest.skipUnless(HAS_SPHINX, "needs sphinx")
class ReferenceTests(Case):
    """The pages build without a warning, and every public name has its place in the reference."""

    names: set[str]
    pages: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        """Wait until the pages are built."""
        super().setUpClass()
        built = _built()
        cls.names = _inventory(built / "objects.inv")
        cls.pages = {
            page.relative_to(built).as_posix(): page.read_text(encoding="utf-8") for page in built.glob("**/*.html")
        }

    def test_front_door(self) -> None:
        """Every public name of the package is in the reference."""
        documented = {name.rpartition(".")[2] for name in self.names}
        for name in connectordb.__all__:
            with self.subTest(name):
                self.assertIn(name, documented)

    def test_exceptions(self) -> None:
        """Every exception is in the reference, under the module that has it."""
        for name in exceptions.__all__:
            with self.subTest(name):
                self.assertIn(f"connectordb.exceptions.{name}", self.names)

    def test_doors(self) -> None:
        """Every public name of the other doors is in the reference."""
        for door in ("logger", "pipescript", "query", "server"):
            # exceptions are where all of them are
            for name in set(importlib.import_module(f"connectordb.{door}").__all__) - set(exceptions.__all__):
                with self.subTest(door=door, name=name):
                    self.assertIn(f"connectordb.{door}.{name}", self.names)

    def test_commands(self) -> None:
        """Every command and option is in the reference."""
        import click

        from connectordb.cli.commands import commands

        page = self.pages["reference/commandline.html"]

        def check(group: click.Group, before: str) -> None:
            for name in group.list_commands(click.Context(group)):
                command = group.get_command(click.Context(group), name)
                assert command is not None
                options = [text for each in command.params if isinstance(each, click.Option) for text in each.opts]
                for text in (f'id="{before}-{name}"', *options):
                    with self.subTest(command=name, text=text):
                        self.assertIn(text, page)
                if isinstance(command, click.Group):
                    # its own arguments stand before the names of those below it
                    own = [
                        each.human_readable_name.lower() for each in command.params if isinstance(each, click.Argument)
                    ]
                    check(command, "-".join([before, name, *own]))

        check(commands, "connectordb")

    def test_settings(self) -> None:
        """Every setting of the server is on the page of the configuration."""
        from connectordb.server.config import DEFAULT, settings

        page = self.pages["howto/configuration.html"]
        for setting in settings(DEFAULT):
            with self.subTest(section=setting.section, name=setting.name):
                self.assertIn(f'id="setting-{setting.section}-{setting.name}"', page)

    def test_log_events(self) -> None:
        """What the package logs is in the table of events; what has no table cannot be asked for."""
        text = re.sub(r"<[^>]+>", "", self.pages["topics/logging.html"])
        for part in ("connectordb.runtime.worker", "%s has not ended within %.3g seconds"):
            with self.subTest(part):
                self.assertTrue(part in text, f"{part!r} is not in the table")
        self.assertFalse("Nothing is logged at this level" in text, "a level without events")

    def test_front_page_includes(self) -> None:
        """The changelog and the way to contribute are included whole."""
        self.assertIn("Backwards-incompatible", self.pages["project/changelog.html"])
        self.assertIn("Setting up", self.pages["project/contributing.html"])


def _inventory(path: Path) -> set[str]:
    """Return the Python names in Sphinx's inventory: four lines of text, then lines of name, role and address, compressed."""
    body = zlib.decompress(path.read_bytes().split(b"\n", 4)[4]).decode()
    return {line.split(" ", 1)[0] for line in body.splitlines() if " py:" in line}
