"""
The command lines that documents show, and whether ``connectordb`` would take them: its commands and options, not what they do.

Looked at are blocks of ``sh`` and ``console`` (of which only what follows a ``$`` was typed), and what stands in a text as
````connectordb …````.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from connectordb.cli.commands import commands

from .blocks import blocks, command_lines

_IN_TEXT = re.compile(r"`{1,2}(connectordb(?:\s[^`]+)?)`")

#: What may stand in front of a command: another that runs it, a time of cron's, a variable.
_BEFORE = re.compile(r"sudo|-u|connectordb|@reboot|[\d*]+|\w+=.*|setarch|linux32")


def shown(path: Path) -> list[list[str]]:
    """Return the arguments of each ``connectordb`` that the document at *path* shows."""
    text = path.read_text(encoding="utf-8")
    lines = [line for block in blocks(path) if block.kind in ("sh", "console") for _, line, _ in command_lines(block)]
    lines += [" ".join(match[1].split()) + " …" for match in _IN_TEXT.finditer(text)]
    return [arguments for line in lines if "connectordb" in line for arguments in _commands(line)]


def _commands(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for token in lexer:
        if set(token) <= set("|;&<>()"):
            found.append([])
        else:
            found[-1].append(token)
    return [
        tokens[number + 1 :]
        for tokens in found
        for number, token in enumerate(tokens)
        if token.rpartition("/")[2] == "connectordb"
        and number + 1 < len(tokens)
        and tokens[number - 1 : number] != ["-u"]
        and all(_BEFORE.fullmatch(before) for before in tokens[:number])
    ]


def check(arguments: list[str]) -> None:
    """
    Go through the *arguments* of ``connectordb`` as it would; behind a ``…`` nothing is known.

    Raises:
        click.UsageError: It would refuse them.
    """
    is_whole = "…" not in arguments
    arguments = arguments if is_whole else arguments[: arguments.index("…") + 1]
    command: click.Command = commands
    name = "connectordb"
    context: click.Context | None = None
    while True:
        context = click.Context(command, parent=context, info_name=name)
        values, arguments, _ = command.make_parser(context).parse_args(list(arguments))
        if arguments in ([], ["…"]) and (isinstance(command, click.Group) or not is_whole):
            return
        if isinstance(command, click.Group):
            name, below, arguments = command.resolve_command(context, arguments)
            assert below is not None
            command = below
            continue
        if arguments:
            raise click.UsageError(f"{name} takes no {arguments[0]!r}")
        for parameter in command.params:
            given = values.get(parameter.name or "")
            if (
                isinstance(parameter, click.Argument)
                and parameter.required
                and not (given and isinstance(given, str | tuple))
            ):
                raise click.UsageError(f"{name} needs {parameter.human_readable_name}")
        return
