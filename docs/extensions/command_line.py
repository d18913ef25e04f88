"""The directive ``command-line``: a section for each command, with its arguments and options as the command itself tells them."""

from __future__ import annotations

import re
from typing import Any

import click
from docutils import nodes
from docutils.parsers.rst import Directive

from connectordb.cli.commands import commands


class CommandLine(Directive):
    """``.. command-line::``: every command of ``connectordb``."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each command, in the order in which ``--help`` lists them."""
        context = click.Context(commands, info_name="connectordb")
        found: list[nodes.Node] = []
        for name in commands.list_commands(context):
            command = commands.get_command(context, name)
            assert command is not None, name
            found.append(_section(command, click.Context(command, info_name=name, parent=context), "connectordb"))
        return found


def _section(command: click.Command, context: click.Context, before: str) -> nodes.section:
    """Return the section of a command, and in it those of the commands below it; *before* is what is typed before its name."""
    name = context.info_name or ""
    id = nodes.make_id(f"{before}-{name}")
    section = nodes.section(ids=[id], names=[id])
    section += nodes.title("", "", nodes.literal(text=name))
    usage = f"{before} {name} {' '.join(command.collect_usage_pieces(context))}"
    section += nodes.literal_block(usage, usage, language="none")
    for paragraph in (command.help or "").split("\n\n"):
        section += _paragraph(" ".join(paragraph.split()))
    options = nodes.definition_list()
    for parameter in command.get_params(context):
        told = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        # the sentence above speaks of arguments, and every command has --help
        if told is None or "--help" in parameter.opts:
            continue
        term = nodes.term("", "", nodes.literal(text=told[0]))
        options += nodes.definition_list_item("", term, nodes.definition("", _paragraph(told[1])))
    section += options
    if isinstance(command, click.Group):
        own = [parameter.human_readable_name for parameter in command.params if isinstance(parameter, click.Argument)]
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None, below
            inner = click.Context(found, info_name=below, parent=context)
            section += _section(found, inner, " ".join([before, name, *own]))
    return section


def _paragraph(text: str) -> nodes.paragraph:
    """Return a paragraph in which options are set as such; elsewhere two dashes would become one."""
    parts = re.split(r"(?<!\S)(--[\w-]+)", text)
    return nodes.paragraph(
        "", "", *(nodes.literal(text=part) if part.startswith("--") else nodes.Text(part) for part in parts)
    )


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx what is here."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "version": "1"}
