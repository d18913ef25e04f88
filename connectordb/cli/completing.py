"""``completion``: the script that has a shell complete commands; and what paths TAB may mean, which the server knows."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from ..exceptions import ConnectorDBError
from .connection import connect

#: The variable by which a shell asks, as click has it.
_VARIABLE = "_CONNECTORDB_COMPLETE"

#: Where a shell wants the line that loads the script.
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
    assert found is not None  # click has all of them
    # click's own way asks bash for its version first, which takes a moment at the start of each shell
    script = found(click.Command("connectordb"), {}, "connectordb", _VARIABLE)
    click.echo(script.source_template % script.source_vars())


def places(context: click.Context, argument: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the paths that a word may become, where a stream's name alone is none; none, if the server does not answer within a moment."""
    return _found(context, begun, with_own=False)


def paths(context: click.Context, argument: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return likewise paths and names of one's own streams; what stands before a ``=`` stays there."""
    name, equals, begun = begun.rpartition("=")
    return _found(context, begun, with_own=True, before=name + equals)


def _found(context: click.Context, begun: str, with_own: bool, before: str = "") -> list[CompletionItem]:
    from ..client import completion  # loaded for TAB alone

    try:
        with connect(context.params.get("profile")) as cdb:
            found = completion.paths(cdb, begun, with_own=with_own)
    except (ConnectorDBError, OSError):  # of the settings: whoever runs a command is told then
        return []
    return [CompletionItem(before + path) for path in found]
