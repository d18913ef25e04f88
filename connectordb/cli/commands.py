"""The group of all commands, and how an error that ends a command is shown."""

from __future__ import annotations

import builtins
import importlib
import keyword
import logging
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from ..exceptions import ConnectorDBError
from ..plain_text import plain_lines
from . import INTERRUPTED, nobody_reads

#: Command → the file that has it, and the first line of its help. A file is imported when its command runs, so that each starts fast.
_COMMANDS = {
    "create": ("database", "Create a new database in DIR, which must not exist."),
    "run": ("database", "Run the server for DIR in the foreground, until Ctrl-C."),
    "start": ("database", "Start the server for DIR in the background."),
    "stop": ("database", "Stop the server for DIR."),
    "config": ("config", "Print every setting of the server for DIR."),
    "permissions": ("permissions", "Print the default permissions, or check yours."),
    "user": ("accounts", "Manage users, for example if a password is lost."),
    "check": ("care", "Check the database in DIR and report what is wrong."),
    "backup": ("care", "Back up the database in DIR to FILE; the server may run."),
    "restore": ("care", "Restore the database in DIR from FILE, a backup."),
    "export": ("exchange", "Export the database in DIR to OUT, a folder of JSON files."),
    "import": ("exchange", "Import EXPORT into the database in DIR."),
    "login": ("login", "Log in to a server, for all programs on this machine."),
    "logout": ("login", "Remove a profile and the key in it."),
    "whoami": ("login", "Show who you are, on which server, and why."),
    "doctor": ("doctor", "Find out why programs cannot reach their server."),
    "ls": ("tree", "List what is below PATH."),
    "info": ("tree", "Show a user, a device or a stream."),
    "new": ("tree", "Create a device or a stream."),
    "set": ("tree", "Change a user, a device or a stream."),
    "rm": ("tree", "Delete a user, a device or a stream."),
    "cat": ("data", "Print the points of STREAM, or a range of them."),
    "insert": ("data", "Append VALUE or points to STREAM."),
    "tail": ("data", "Print the last points of STREAM."),
    "plot": ("plot", "Plot STREAMs in the terminal, or to a picture."),
    "merge": ("queries", "Print points of several STREAMs as one series."),
    "dataset": ("queries", "Print several streams side by side, as columns."),
    "save": ("saving", "Save a user, a device or a stream to a folder."),
    "load": ("saving", "Load what was saved to a folder."),
    "log": ("log", "Inspect and manage the cache FILE of a Logger."),
    "pipescript": ("pipescript", "Run SCRIPT on points from FILEs or standard input."),
    "shell": ("shell", "Open a Python prompt that is connected to the server."),
    "demo": ("demo", "Show the whole package at work, with its own server."),
    "completion": ("completing", "Print a script that makes TAB complete in SHELL."),
}

_SILENCE = logging.NullHandler()


class Commands(click.Group):
    """Imports a command when it is needed, and shows our errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command called *name*."""
        if name not in _COMMANDS:
            return None
        # names of Python's own, such as set and import, have an underscore after them
        attribute = f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name
        try:
            command = getattr(importlib.import_module(f".{_COMMANDS[name][0]}", __package__), attribute)
        except ImportError as error:
            return _not_installed(name, error)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List all commands, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in _COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the completions of a word, without importing any command, as TAB should be quick."""
        options = click.Command.shell_complete(self, ctx, incomplete)
        return options + [
            CompletionItem(name, help=told) for name, (_, told) in _COMMANDS.items() if name.startswith(incomplete)
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that a user can do something about becomes one line on standard error."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # also while the command is imported
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader wants no more, as with ``head``
            nobody_reads()
            sys.exit(0)
        except click.ClickException as error:
            if ctx.params.get("debug") and error.__cause__ is not None:
                raise error.__cause__ from None
            # it may quote data, which must not send control characters to the terminal
            error.message = plain_lines(error.message)  # type: ignore[misc]  # click declares it final
            raise
        except (ConnectorDBError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            raise click.ClickException(_message(error)) from error
        except ImportError as error:
            raise click.ClickException(_lacking(error)) from error


def _not_installed(name: str, error: ImportError) -> click.Command:
    """Return a command that says which library it needs, whatever its arguments."""

    @click.command(
        name,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        raise click.ClickException(_lacking(error)) from error

    return command


def _lacking(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"this command needs {error.name!r}: pip install 'ConnectorDB[all]'"
    return str(error)  # our own message, which names the extra


def _message(error: Exception) -> str:
    """Return the message for an error; an error of the operating system is shown with the name of the file, if it has one."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{str(error.filename)!r}: {error.strerror}"
    return plain_lines(str(error))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def commands(ctx: click.Context, debug: bool) -> None:
    """ConnectorDB: a live database for data from devices and people."""
    if not debug and ctx.invoked_subcommand != "shell":
        # commands report by themselves; only at the prompt of `shell` the log is needed, for errors in callbacks
        logging.getLogger("connectordb").addHandler(_SILENCE)
