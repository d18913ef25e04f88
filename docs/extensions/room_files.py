"""
The directive ``room-files``: every file of the package by room, with the sentence that it begins with.

Read off the files at every build, like the table of logged events, so that the map is the land.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

PACKAGE = Path(__file__).parent.parent.parent / "connectordb"


def rooms() -> dict[str, list[tuple[str, str]]]:
    """Return room → its files, each with its first sentence; a file at the top is in the room ``""``."""
    found: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(PACKAGE.rglob("*.py"), key=lambda path: (path.name != "__init__.py", path)):
        where = file.relative_to(PACKAGE)
        if file.name == "__init__.py":
            continue
        room = where.parts[0] if len(where.parts) > 1 else ""
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        name = where.relative_to(room).as_posix() if room else where.as_posix()
        found.setdefault(room, []).append((name, first_sentence(docstring)))
    return dict(sorted(found.items()))


def first_sentence(docstring: str) -> str:
    """Return the first sentence of a docstring, without its marks."""
    paragraph = docstring.strip().split("\n\n")[0].replace("\n", " ")
    sentence = re.split(r"(?<=[.:])\s+(?=[A-Z`])", paragraph)[0].rstrip(".:;")
    return re.sub(r":\w+:`([^`]+)`|`+([^`]+)`+", lambda match: match[1] or match[2], sentence)


class RoomFiles(Directive):
    """``.. room-files::``: the whole map."""

    def run(self) -> list[nodes.Node]:
        """Return a definition list for each room."""
        made: list[nodes.Node] = []
        for room, files in rooms().items():
            made.append(nodes.rubric("", "", nodes.literal("", f"connectordb/{room}".rstrip("/"))))
            listed = nodes.bullet_list()
            for name, sentence in files:
                paragraph = nodes.paragraph("", "", nodes.literal("", name), nodes.Text(f": {sentence}"))
                listed += nodes.list_item("", paragraph)
            made.append(listed)
        for file in PACKAGE.rglob("*.py"):  # the page is built again when a file has changed
            self.state.document.settings.env.note_dependency(str(file))
        return made


def setup(app: Any) -> dict[str, Any]:
    """Add the directive to Sphinx."""
    app.add_directive("room-files", RoomFiles)
    return {"parallel_read_safe": True}
