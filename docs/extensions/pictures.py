"""
Pictures that the build makes, and output of commands.

``.. drawn::`` shows the Python code in it, runs it, and shows what it has drawn with pyplot, for a light page and for a dark one (so it
runs twice); with ``:unseen:`` there is the picture alone. With ``:plain:`` it is run, once, and there is no picture; with ``:hidden:`` it
is not shown either; with ``:table:`` there is what a notebook shows of its last line, an expression. Blocks of a page share their names. ``.. printed::`` runs a command line and shows what it prints. Both find a server at ``http://localhost:3124`` with the
administrator mara, whose password is secret; each page has its own. With the tag ``unstyled`` nothing runs.
"""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from connectordb import ConnectorDB
from connectordb.server import Server, create

URL = "http://localhost:3124"  # the address that readers have

#: Where pictures go, below the built pages.
FOLDER = "_drawn"

#: How a table stands on the page.
TABLE = "margin:1em 0;font-size:.85em;overflow-x:auto"

STYLES = {"light": [], "dark": ["dark_background"]}


class Stage:
    """The server of a page, and the names that its blocks share."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="connectordb-docs-")
        create(Path(self._folder.name) / "database", user="mara", password="secret")
        self._server = Server(Path(self._folder.name) / "database", port=0)
        self._server.start()
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.pictures = 0

    def run(self, code: str, where: str) -> None:
        """Run a block."""
        exec(compile(code.replace(URL, self._server.url), where, "exec"), self.names)

    def table(self, code: str, where: str) -> str:
        """Run a block, and return what a notebook shows of its last line."""
        *before, last = code.splitlines()
        self.run("\n".join(before), where)
        shown: str = eval(last, self.names)._repr_html_()
        return shown.replace(self._server.url, URL)

    def printed(self, command: str) -> str:
        """Return what a command prints."""
        with ConnectorDB("mara", "secret", url=self._server.url) as cdb:
            key = cdb.apikey or ""
        variables = {"CONNECTORDB_URL": self._server.url, "CONNECTORDB_APIKEY": key, "COLUMNS": "88", "NO_COLOR": "1"}
        python = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(python, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
        return done.stdout

    def close(self) -> None:
        """End the server."""
        for found in self.names.values():
            if isinstance(found, ConnectorDB):
                found.close()
        self._server.close()
        self._folder.cleanup()


class OnStage(SphinxDirective):
    """
    A directive that has the stage of its page.

    Attributes:
        folder: Where pictures go; `None` where nothing is to run.
    """

    stages: ClassVar[dict[str, Stage]] = {}
    folder: ClassVar[Path | None] = None

    @property
    def stage(self) -> Stage:
        """The stage of this page."""
        if self.env.docname not in self.stages:
            self.stages[self.env.docname] = Stage()
        return self.stages[self.env.docname]


class Drawn(OnStage):
    """``.. drawn::``: code, and its picture."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "unseen": directives.flag,
        "hidden": directives.flag,
        "plain": directives.flag,
        "table": directives.flag,
        "alt": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Run the code; return the code and its picture."""
        code, where = "\n".join(self.content), f"{self.env.docname}, line {self.lineno}"
        found: list[nodes.Node] = []
        if not {"hidden", "unseen"} & self.options.keys():
            found.append(nodes.literal_block(code, code, language="python"))
        if self.folder is not None and {"hidden", "plain"} & self.options.keys():
            self.stage.run(code, where)
        elif self.folder is not None and "table" in self.options:
            found.append(nodes.raw("", f'<div style="{TABLE}">{self.stage.table(code, where)}</div>', format="html"))
        elif self.folder is not None:
            pictures = "".join(self._picture(name, code, where, self.folder) for name in STYLES)
            found.append(nodes.raw("", pictures, format="html"))
        return found

    def _picture(self, name: str, code: str, where: str, folder: Path) -> str:
        from matplotlib import pyplot, style  # not needed where nothing is drawn

        with style.context(STYLES[name]):
            self.stage.run(code, where)
            self.stage.pictures += 1
            file = f"{self.env.docname.replace('/', '-')}-{self.stage.pictures}.svg"
            folder.mkdir(parents=True, exist_ok=True)
            pyplot.savefig(folder / file, transparent=True)
            pyplot.close("all")
        up = "../" * self.env.docname.count("/")
        alt = self.options.get("alt", "What it draws")
        return f'<img class="only-{name}" src="{up}{FOLDER}/{file}" alt="{alt}" style="max-width:100%">'


class Printed(OnStage):
    """``.. printed:: connectordb …``: a command and what it prints."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Run the command; return it with what it prints."""
        printed = self.stage.printed(self.arguments[0]) if self.folder is not None else ""
        text = f"$ {self.arguments[0]}\n{printed}"
        return [nodes.literal_block(text, text, language="text")]


def end(app: Sphinx, *_: Any) -> None:
    """End the stages."""
    while OnStage.stages:
        OnStage.stages.popitem()[1].close()


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx what is here."""
    if not app.tags.has("unstyled"):
        OnStage.folder = Path(app.outdir) / FOLDER
        os.environ["MPLBACKEND"] = "agg"  # no window
    logging.getLogger("connectordb").setLevel(logging.WARNING)
    app.add_directive("drawn", Drawn)
    app.add_directive("printed", Printed)
    app.connect("env-updated", end)
    return {"parallel_read_safe": False, "version": "1"}
