"""
The directive ``log-events``: a table of everything the package logs, read off its syntax trees at every build.

A table that people keep by hand is out of date with the next change; this one cannot be.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

LEVELS = ("error", "warning", "info", "debug")
PACKAGE = Path(__file__).parent.parent.parent / "connectordb"


@functools.cache
def events() -> dict[str, list[tuple[str, str]]]:
    """Return the (logger's name, message) pairs that the package logs at each level, in order of the logger's name."""
    found: dict[str, set[tuple[str, str]]] = {level: set() for level in LEVELS}
    for file in PACKAGE.rglob("*.py"):
        module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (level := _level(node)) in LEVELS and isinstance(node, ast.Call):
                found[level].update((module, message) for message in _messages(node.args))
    return {level: sorted(pairs) for level, pairs in found.items()}


def _level(node: ast.AST) -> str | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "log"):
        return None
    return "error" if node.func.attr in ("exception", "critical") else node.func.attr


def _messages(arguments: list[ast.expr]) -> list[str]:
    """Return the texts that the first argument may be: a constant, or one of the two arms of a conditional."""
    if not arguments:
        return []
    first = arguments[0]
    if isinstance(first, ast.IfExp):
        return _messages([first.body]) + _messages([first.orelse])
    return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []


class LogEvents(Directive):
    """``.. log-events:: warning``: the table of one level."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        """Return the table, or a sentence where nothing is logged at this level."""
        level = self.arguments[0]
        if level not in LEVELS:
            raise self.error(f"no level {level!r}: one of {', '.join(LEVELS)}")
        for file in PACKAGE.rglob("*.py"):  # a page is built again when what it was read off has changed
            self.state.document.settings.record_dependencies.add(str(file))
        rows = events()[level]
        if not rows:
            return [nodes.paragraph(text="Nothing is logged at this level.")]
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (30, 70)), cols=2)
        group += nodes.thead("", _row(nodes.Text("logger"), nodes.Text("message")))
        group += nodes.tbody("", *(_row(nodes.literal(text=module), nodes.literal(text=text)) for module, text in rows))
        return [nodes.table("", group)]


def _row(*cells: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx what is here."""
    app.add_directive("log-events", LogEvents)
    return {"parallel_read_safe": True, "version": "1"}
