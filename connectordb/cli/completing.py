"""``completion``: prints the script that makes a shell complete commands; and the completion of paths, which asks the server."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from ..exceptions import ConnectorDBError
from .connection import connect

#: The environment variable by which a shell asks for completions; click derives it from the program's name.
_VARIABLE = "_CONNECTORDB_COMPLETE"

#: Shell → the file that loads the script.
_FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/connectordb.fish"}


@click.command()
@click.argument("shell", type=click.Choice(list(_FILES)))
def completion(shell: str) -> None:
    """
    Print a script that makes TAB complete in SHELL.

    It completes commands, options, and paths, for which it asks your server. Put this line into ~/.bashrc, or with zsh into
    ~/.zshrc: eval "$(connectordb completion bash)". For fish, write a file:
    connectordb completion fish > ~/.config/fish/completions/connectordb.fish
    """
    found = get_completion_class(shell)
    assert found is not None  # click knows all of them
    # click's own method runs bash to ask for its version, which would slow down the start of each shell
    script = found(click.Command("connectordb"), {}, "connectordb", _VARIABLE)
    click.echo(script.source_template % script.source_vars())


def places(context: click.Context, argument: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete a path with a slash in it; without completions if the server does not answer within a moment."""
    return _found(context, begun, with_own=False)


def paths(context: click.Context, argument: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete a path, or the name of one of the caller's own streams; also after ``NAME=``, which is kept."""
    name, equals, begun = begun.rpartition("=")
    return _found(context, begun, with_own=True, before=name + equals)


def _found(context: click.Context, begun: str, with_own: bool, before: str = "") -> list[CompletionItem]:
    from ..client import completion  # needed only for TAB

    try:
        with connect(context.params.get("profile")) as cdb:
            found = completion.paths(cdb, begun, with_own=with_own)
    except (ConnectorDBError, OSError):  # the settings are not valid, which the command itself will report
        return []
    return [CompletionItem(before + path) for path in found]
