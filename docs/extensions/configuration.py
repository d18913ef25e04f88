"""The directive ``configuration``: every setting of the server, with its default and its meaning, from the settings themselves."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

from connectordb.server import Config
from connectordb.server.config import Setting, settings


class Configuration(Directive):
    """``.. configuration::``: a section for each section of the file."""

    def run(self) -> list[nodes.Node]:
        """Return the sections, in the order of the file."""
        found: list[nodes.Node] = []
        config = Config()
        for name, group in groupby(settings(config), key=lambda setting: setting.section):
            section = nodes.section(ids=[nodes.make_id(f"setting-{name}")], names=[f"setting-{name}"])
            section += nodes.title("", "", nodes.literal(text=f"[{name}]"))
            section += nodes.paragraph(text=type(getattr(config, name)).__doc__ or "")
            entries = nodes.definition_list()
            for setting in group:
                entries += _entry(setting)
            section += entries
            found.append(section)
        return found


def _entry(setting: Setting) -> nodes.definition_list_item:
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    paragraph = nodes.paragraph(text=f"{setting.rule.meaning} Default: ")
    paragraph += nodes.literal(text=json.dumps(default))
    if setting.rule.choices:
        paragraph += nodes.Text("; one of ")
        paragraph += nodes.literal(text=", ".join(setting.rule.choices))
    elif isinstance(setting.default, (int, float)) and not isinstance(setting.default, bool) and setting.rule.least:
        paragraph += nodes.Text(f"; at least {setting.rule.least:g}")
    term = nodes.term("", "", nodes.literal(text=setting.name), ids=[f"setting-{setting.section}-{setting.name}"])
    return nodes.definition_list_item("", term, nodes.definition("", paragraph))


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx what is here."""
    app.add_directive("configuration", Configuration)
    return {"parallel_read_safe": True, "version": "1"}
