"""The group of all commands, and what becomes of an error that ends one."""

from __future__ import annotations

import builtins
import importlib
import keyword
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from ..exceptions import ConnectorDBError
from . import INTERRUPTED, nobody_reads

#: Command → the file that has it. A file is imported when its command runs, so that each starts quickly.
_FILES = {
    "create": "database",
    "run": "database",
    "start": "database",
    "stop": "database",
    "config": "config",
    "permissions": "permissions",
    "user": "accounts",
    "check": "care",
    "backup": "care",
    "restore": "care",
    "export": "exchange",
    "import": "exchange",
    "login": "login",
    "logout": "login",
    "whoami": "login",
    "doctor": "doctor",
    "ls": "tree",
    "info": "tree",
    "new": "tree",
    "set": "tree",
    "rm": "tree",
    "cat": "data",
    "insert": "data",
    "tail": "data",
    "plot": "plot",
    "merge": "queries",
    "dataset": "queries",
    "save": "saving",
    "load": "saving",
    "log": "log",
    "pipescript": "pipescript",
    "shell": "shell",
    "demo": "demo",
    "completion": "completing",
}


class Commands(click.Group):
    """Imports a command when it is asked for; tells an error of ours in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(_FILES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command called *name*."""
        if name not in _FILES:
            return None
        # a word that Python has for something else has a _ behind it there
        attribute = f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name
        try:
            command = getattr(importlib.import_module(f".{_FILES[name]}", __package__), attribute)
        except ImportError as error:
            return _not_installed(name, error)
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what a word may become, importing nothing: TAB should not be waited for."""
        options = click.Command.shell_complete(self, ctx, incomplete)
        return options + [CompletionItem(name) for name in _FILES if name.startswith(incomplete)]

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
            raise
        except (ConnectorDBError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            raise click.ClickException(_told(error)) from error
        except ImportError as error:
            raise click.ClickException(_lacking(error)) from error


def _not_installed(name: str, error: ImportError) -> click.Command:
    """Return a command that says what it lacks: help lists it all the same."""

    @click.command(
        name,
        help="Needs more to be installed: pip install 'ConnectorDB[all]'.",
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
    """Return what to say of an error; one that the system says, without words of ours, names the file at least."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{str(error.filename)!r}: {error.strerror}"
    return str(error)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def commands(debug: bool) -> None:
    """ConnectorDB: a live database for the data of devices and people."""
