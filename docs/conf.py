"""How Sphinx builds these pages: ``sphinx-build -W -b html docs docs/_build/html``."""

from __future__ import annotations

import gc
import os
import re
import sys
from pathlib import Path
from typing import Any

from sphinx.builders.html import StandaloneHTMLBuilder

# what a build makes stays until its end: to look through it for garbage again and again takes a quarter of its time
gc.set_threshold(100_000)

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]

_found = re.search(r'^__version__ = "([^"]+)"', (HERE.parent / "connectordb/__init__.py").read_text("utf-8"), re.M)
if _found is None:
    raise RuntimeError('connectordb/__init__.py has no line __version__ = "...": the version is written there, once')

project = "ConnectorDB"
author = "The ConnectorDB contributors"
project_copyright = author
release = version = _found[1]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_parser",
    "log_events",
    "pictures",
    "command_line",
    "configuration",
    "room_files",
    "transforms",
]
exclude_patterns = ["_build"]
default_role = "py:obj"  # in a docstring, `name` is a name of ours

# Docstrings: Google style, and one section of our own, the call on the wire.
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Calls"]
napoleon_use_ivar = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"show-inheritance": True}  # members here would outvote a page that lists some
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# Other projects' inventories are fetched only where the network is there and wanted (Read the Docs): a build with warnings
# as errors must not depend on it.
intersphinx_mapping: dict[str, tuple[str, None]] = {}
if "READTHEDOCS" in os.environ:
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "requests": ("https://requests.readthedocs.io/en/latest", None),
    }

# Every reference that somebody wrote must lead somewhere. Names in signatures are left out: most of them are the standard
# library's, aliases of types, or classes of rooms that have no page.
nitpicky = True
nitpick_ignore_regex = [("py:(class|obj|data|exc|meth|attr|func|mod)", r".*")]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"ConnectorDB {release}"
html_theme_options = {
    "source_repository": "https://github.com/connectordb/connectordb-python/",
    "source_branch": "main",
    "source_directory": "docs/",
}
if "unstyled" in tags:  # noqa: F821  # Sphinx's own; the tests look at what the pages say, and need half the time for that
    extensions.remove("sphinx.ext.viewcode")
    html_theme, html_theme_options = "basic", {}
    StandaloneHTMLBuilder.search = False


NOT_MADE_BY_USERS = {
    "connectordb.User",
    "connectordb.Device",
    "connectordb.Stream",
    "connectordb.live.Subscription",
    "connectordb.client.Database",
}


def setup(app: Any) -> None:
    """Mend two habits of autodoc and Napoleon."""
    kept: dict[str, str] = {}

    def signature(
        app: Any, what: str, name: str, item: Any, options: Any, text: str | None, returned: str | None
    ) -> Any:
        """Leave out how to make what nobody but this package makes."""
        return ("", None) if text and (what == "exception" or name in NOT_MADE_BY_USERS) else None

    def keep(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
        """Napoleon reads a colon in a property's first line as the end of a type: keep the line from it."""
        if what in ("attribute", "data", "property") and lines:
            kept[name], lines[0] = lines[0], "A line."

    def restore(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
        if name in kept:
            lines[0] = kept.pop(name)

    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-process-docstring", keep, priority=400)  # Napoleon has 500
    app.connect("autodoc-process-docstring", restore, priority=600)
