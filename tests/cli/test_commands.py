"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys
from unittest import mock

import click

import connectordb as package
from connectordb.cli.commands import commands

from ..support.case import Case
from ..support.command_line import TOP, connectordb, environment, here


class Commands(Case):
    """What every command has in common."""

    def test_help(self) -> None:
        """Help lists every command, and each has help of its own."""
        shown = here("--help").stdout
        for name in ("create", "start", "stop", "run", "demo"):
            with self.subTest(name):
                self.assertIn(f"  {name} ", shown)
                self.assertIn("Usage: connectordb", here(name, "--help").stdout)

    def test_version(self) -> None:
        """`--version` tells the package's."""
        self.assertIn(package.__version__, connectordb("--version").stdout)

    def test_errors_are_one_line(self) -> None:
        """What goes wrong is one line on standard error, with status 1, and no traceback."""
        done = connectordb("stop", self.folder() / "absent")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\AError: .*connectordb create[^\n]*\n\Z")

    def test_short_helps(self) -> None:
        """What the list of commands says of each is what the command itself says first, a sentence that fits its line."""
        told = here("--help").stdout.partition("Commands:\n")[2].splitlines()
        context = click.Context(commands)
        for line, name in zip(told, commands.list_commands(context), strict=True):
            command = commands.get_command(context, name)
            assert command is not None
            with self.subTest(name):
                self.assertEqual(line.split(maxsplit=1), [name, command.get_short_help_str(80)])
                self.assertRegex(line, r"[^.]\.\Z")

    def test_plain(self) -> None:
        """Help is read in a terminal, and has no markup."""

        def check(command: click.Command, name: str) -> None:
            told = [command.help, *(each.help for each in command.params if isinstance(each, click.Option))]
            with self.subTest(name):
                self.assertNotIn("`", " ".join(text or "" for text in told))
            if isinstance(command, click.Group):
                for below in command.list_commands(click.Context(command)):
                    check(command.get_command(click.Context(command), below) or command, f"{name} {below}")

        check(commands, "connectordb")

    def test_errors_of_the_system_name_the_file(self) -> None:
        """An error that only the system has words for names the file, without numbers and brackets."""
        with mock.patch(
            "connectordb.cli.config.configured", side_effect=PermissionError(13, "Permission denied", "db")
        ):
            self.assertEqual(here("config", self.folder()).stderr, "Error: 'db': Permission denied\n")

    def test_debug(self) -> None:
        """With --debug there is a traceback."""
        done = connectordb("--debug", "stop", self.folder() / "absent")
        self.assertIn("Traceback", done.stderr)
        self.assertNotEqual(done.returncode, 0)

    def test_unknown(self) -> None:
        """A command that is none is refused."""
        done = here("fly")
        self.assertEqual(done.returncode, 2)
        self.assertIn("No such command 'fly'", done.stderr)

    def test_without_the_server(self) -> None:
        """Without what the server needs, help is there, and a command says which extra it needs."""
        program = "import sys; sys.modules['aiohttp'] = None; import runpy; sys.argv = ['connectordb', *{}]; runpy.run_module('connectordb', run_name='__main__')"
        for typed, status, words in (
            (["--help"], 0, "  run "),
            (["run", "--help"], 1, "pip install 'ConnectorDB[server]'"),
            (["run", "x", "--port", "0"], 1, "pip install 'ConnectorDB[server]'"),
        ):
            with self.subTest(typed):
                done = subprocess.run(
                    [sys.executable, "-c", program.format(typed)],
                    capture_output=True,
                    text=True,
                    timeout=60,
                    cwd=TOP,
                    env=environment(),
                )
                self.assertEqual(done.returncode, status)
                self.assertIn(words, done.stdout + done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_without_the_extra(self) -> None:
        """Without click the command says which extra it needs."""
        program = "import sys; sys.modules['click'] = None; import runpy; sys.argv = ['connectordb']; runpy.run_module('connectordb', run_name='__main__')"
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=TOP, env=environment()
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("pip install 'ConnectorDB[cli]'", done.stderr)
