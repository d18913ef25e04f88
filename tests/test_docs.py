"""What the documentation shows runs, what it cites is there, and what is public is in it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

import connectordb
from connectordb import exceptions
from tests.frames.cases import needs_frames
from tests.support.blocks import Block, blocks, run
from tests.support.case import Case
from tests.support.server import run_server

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
URL = "http://localhost:3124"  # the address that readers have


class BlocksTests(Case):
    """The code of a document is found, and runs as a reader would run it."""

    def write(self, name: str, text: str) -> Path:
        """Return a document of that *text*."""
        path = self.folder() / name
        path.write_text(text, encoding="utf-8")
        return path

    def test_restructured(self) -> None:
        """Sessions and python blocks of reStructuredText are found, other languages and marked ones are not."""
        path = self.write(
            "page.rst",
            "Title\n=====\n\n>>> 1 + 1\n2\n\n.. code-block:: sh\n\n   rm -r /\n\n"
            ".. code-block:: python\n   :class: not-run\n\n   1 / 0\n\n"
            ".. code-block:: python\n   :caption: x\n\n   x = 1\n\n   y = 2\n\nEnd.\n",
        )
        self.assertEqual(blocks(path), [Block(4, ">>> 1 + 1\n2", True), Block(18, "\nx = 1\n\ny = 2\n", False)])

    def test_markdown(self) -> None:
        """Fences marked python are found, others and marked ones are not."""
        path = self.write(
            "page.md", "```sh\nrm -r /\n```\n\n<!-- not run -->\n\n```python\n1 / 0\n```\n\n```python\nx = 1\n```\n"
        )
        self.assertEqual(blocks(path), [Block(12, "x = 1", False)])

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

    def run_page(self, path: Path) -> None:
        """Run the page at *path* in a folder of its own, against a server with the administrator that pages speak of."""
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder())
        with run_server(user="mara", password="secret") as server:
            run(path, {URL: server.url})

    def test_tutorial(self) -> None:
        """The tutorial runs from its first block to its last."""
        self.assertGreater(len(blocks(DOCS / "tutorial.rst")), 10)
        self.run_page(DOCS / "tutorial.rst")

    def test_beyond(self) -> None:
        """What the server says beyond 0.3 is what its page shows."""
        self.assertGreater(len(blocks(DOCS / "topics" / "beyond_0_3.rst")), 5)
        self.run_page(DOCS / "topics" / "beyond_0_3.rst")

    def test_transforms(self) -> None:
        """What a server makes of transforms is what their page shows."""
        self.run_page(DOCS / "howto" / "transforms.rst")

    def test_transforms_here(self) -> None:
        """What is made of points at hand is what the page shows."""
        self.assertGreater(len(blocks(DOCS / "howto" / "transforms_here.rst")), 6)
        run(DOCS / "howto" / "transforms_here.rst", {})

    @needs_frames
    def test_frames(self) -> None:
        """Arrays and frames are what the page shows."""
        self.run_page(DOCS / "howto" / "frames.rst")

    def test_live(self) -> None:
        """Those of watching streams run, too."""
        self.run_page(DOCS / "howto" / "live.rst")

    def test_mirrors(self) -> None:
        """Mirrors show what their page says."""
        self.run_page(DOCS / "howto" / "mirrors.rst")

    def test_commands(self) -> None:
        """Commands are answered as their page says."""
        self.run_page(DOCS / "howto" / "commands.rst")

    def test_programs(self) -> None:
        """A program that stays does what its page says."""
        self.run_page(DOCS / "howto" / "programs.rst")

    def test_figures(self) -> None:
        """Calls cost what the page says."""
        self.run_page(DOCS / "howto" / "figures.rst")

    def test_prompt(self) -> None:
        """Things show what the page says."""
        self.run_page(DOCS / "howto" / "prompt.rst")

    def test_readme(self) -> None:
        """The README's code runs."""
        self.assertGreater(len(blocks(ROOT / "README.md")), 2)
        self.run_page(ROOT / "README.md")


class CitationTests(Case):
    """What is cited from the code and the top-level files is there."""

    def cited(self, pattern: str) -> set[tuple[str, ...]]:
        """Return what *pattern* finds in the code, the tests and the top-level documents."""
        files = [*ROOT.glob("connectordb/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("*.md"), ROOT / "setup.py"]
        return {match.groups() for file in files for match in re.finditer(pattern, file.read_text(encoding="utf-8"))}

    def test_pages(self) -> None:
        """Every ``docs/….rst`` that a file cites exists."""
        for (page,) in sorted(self.cited(r"\b(docs/[\w/.]+\.rst)\b")):
            with self.subTest(page):
                self.assertTrue((ROOT / page).is_file())

    def test_sections(self) -> None:
        """Every section of a page that a file cites, by its heading in quotes, exists."""
        for page, section in sorted(self.cited(r'(docs/[\w/.]+\.rst)``,\s+"([^"]+)"')):
            with self.subTest(page=page, section=section):
                headings = re.findall(r"^(\S.*)\n([-=~^#])\2+$", (ROOT / page).read_text(encoding="utf-8"), re.M)
                self.assertIn(section, [heading for heading, _ in headings])


@unittest.skipUnless(importlib.util.find_spec("sphinx") and importlib.util.find_spec("furo"), "needs sphinx and furo")
class ReferenceTests(Case):
    """The pages build without a warning, and every public name has its place in the reference."""

    names: set[str]
    pages: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        """Build the pages once, in a process of their own, as CI does."""
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="connectordb-docs-")
        cls.addClassCleanup(folder.cleanup)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), folder.name]
        built = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if built.returncode:
            raise AssertionError(f"the pages do not build:\n{built.stderr}")
        cls.names = _inventory(Path(folder.name) / "objects.inv")
        built_pages = Path(folder.name)
        cls.pages = {
            page.relative_to(built_pages).as_posix(): page.read_text(encoding="utf-8")
            for page in built_pages.glob("**/*.html")
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
        for part in ("connectordb.runtime.worker", "%s has not ended within %s seconds"):
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
