"""The group of all commands, and what becomes of an error that ends one."""

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

#: Command → the file that has it, and its help in short. A file is imported when its command runs, so that each starts quickly.
_COMMANDS = {
    "create": ("database", "Make a new database in DIR, which must not exist."),
    "run": ("database", "Run the server of DIR in the foreground, until Ctrl-C."),
    "start": ("database", "Start the server of DIR in the background."),
    "stop": ("database", "Stop the server of DIR."),
    "config": ("config", "Print every setting of the server of DIR."),
    "permissions": ("permissions", "Print the default permissions, or check yours."),
    "user": ("accounts", "Look after users, if a password is lost for example."),
    "check": ("care", "Go through the database in DIR and say what is wrong."),
    "backup": ("care", "Copy the database in DIR into FILE; the server may run."),
    "restore": ("care", "Make the database in DIR again from FILE, a backup."),
    "export": ("exchange", "Write the database in DIR to OUT, a folder of JSON files."),
    "import": ("exchange", "Bring EXPORT into the database in DIR."),
    "login": ("login", "Log in to a server, for programs that name none."),
    "logout": ("login", "Remove a profile, with the key in it."),
    "whoami": ("login", "Show who you are, on which server, and why."),
    "doctor": ("doctor", "Say what keeps programs from their server."),
    "ls": ("tree", "List what is below PATH."),
    "info": ("tree", "Show what is known of a user, a device or a stream."),
    "new": ("tree", "Make a device, or a stream."),
    "set": ("tree", "Change a user, a device or a stream."),
    "rm": ("tree", "Delete a user, a device or a stream."),
    "cat": ("data", "Print the points of STREAM, or of a range of it."),
    "insert": ("data", "Append VALUE or points to STREAM."),
    "tail": ("data", "Print the last points of STREAM."),
    "plot": ("plot", "Draw STREAMs in the terminal, or as a picture."),
    "merge": ("queries", "Print points of several STREAMs as one series."),
    "dataset": ("queries", "Print streams side by side, as columns."),
    "save": ("saving", "Save a user, a device or a stream in a folder."),
    "load": ("saving", "Load what was saved in a folder."),
    "log": ("log", "Look at, and look after, the cache FILE of a Logger."),
    "pipescript": ("pipescript", "Run SCRIPT over points in FILEs or on standard input."),
    "shell": ("shell", "Open a Python prompt that is connected."),
    "demo": ("demo", "See the whole job, with a server of its own."),
    "completion": ("completing", "Print what makes TAB complete in SHELL."),
}

_SILENCE = logging.NullHandler()


class Commands(click.Group):
    """Imports a command when it is asked for; tells an error of ours in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command called *name*."""
        if name not in _COMMANDS:
            return None
        # a word that Python has for something else has a _ behind it there
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
        """Return what a word may become, importing nothing: TAB should not be waited for."""
        options = click.Command.shell_complete(self, ctx, incomplete)
        return options + [
            CompletionItem(name, help=told) for name, (_, told) in _COMMANDS.items() if name.startswith(incomplete)
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that a user can do something about is one line on standard error."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # also while the command is loaded
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # who reads has enough, as ``head`` has
            nobody_reads()
            sys.exit(0)
        except click.ClickException as error:
            if ctx.params.get("debug") and error.__cause__ is not None:
                raise error.__cause__ from None
            # it may quote what others have written
            error.message = plain_lines(error.message)  # type: ignore[misc]  # final for whoever else sees it
            raise
        except (ConnectorDBError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            raise click.ClickException(_told(error)) from error
        except ImportError as error:
            raise click.ClickException(_lacking(error)) from error


def _not_installed(name: str, error: ImportError) -> click.Command:
    """Return a command that says what it lacks, whatever is typed behind it."""

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
    return str(error)  # ours: it names the extra


def _told(error: Exception) -> str:
    """Return what to say of an error; one that the system says, without words of ours, names the file if there is one."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{str(error.filename)!r}: {error.strerror}"
    return plain_lines(str(error))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def commands(ctx: click.Context, debug: bool) -> None:
    """ConnectorDB: a live database for the data of devices and people."""
    if not debug and ctx.invoked_subcommand != "shell":
        # what a command has to tell it tells itself; a prompt hears of its callbacks
        logging.getLogger("connectordb").addHandler(_SILENCE)
