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
            found.append(_section(command, click.Context(command, info_name=name, parent=context)))
        return found


def _section(command: click.Command, context: click.Context) -> nodes.section:
    name = context.info_name or ""
    section = nodes.section(ids=[nodes.make_id(f"connectordb-{name}")], names=[f"connectordb-{name}"])
    section += nodes.title("", "", nodes.literal(text=name))
    usage = f"connectordb {name} {' '.join(command.collect_usage_pieces(context))}"
    section += nodes.literal_block(usage, usage, language="text")
    for paragraph in (command.help or "").split("\n\n"):
        section += _paragraph(" ".join(paragraph.split()))
    options = nodes.definition_list()
    for parameter in command.get_params(context):
        told = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if (
            told is None or parameter.name == "help"
        ):  # the sentence above speaks of arguments, and every command has --help
            continue
        term = nodes.term("", "", nodes.literal(text=told[0]))
        options += nodes.definition_list_item("", term, nodes.definition("", _paragraph(told[1])))
    section += options
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
