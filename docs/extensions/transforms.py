"""The directives ``transforms`` and ``interpolators``: all that there are, from the registry, with examples that the tests run."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

from connectordb.pipescript import INTERPOLATORS, TRANSFORMS, Argument, Transform, info
from connectordb.pipescript.examples import ASKED, EXAMPLES


class Transforms(Directive):
    """``.. transforms::``: an entry for each, in order of their names."""

    def run(self) -> list[nodes.Node]:
        """Return the entries."""
        entries = nodes.definition_list()
        for name in sorted(TRANSFORMS):
            entries += _entry(TRANSFORMS[name])
        return [entries]


class Interpolators(Directive):
    """``.. interpolators::``: an entry for each."""

    def run(self) -> list[nodes.Node]:
        """Return the entries."""
        entries = nodes.definition_list()
        for name, known in sorted(INTERPOLATORS.items()):
            asked = ASKED[name]
            shown = f"{info.written(asked.points)}\nat {info.written(asked.times)}:\n{info.written(asked.results)}"
            entries += _item(
                f"interpolator-{name}", name, "", [nodes.paragraph(text=f"{known.description}."), _block(shown)]
            )
        return [entries]


def _entry(known: Transform) -> nodes.definition_list_item:
    body: list[nodes.Node] = [
        nodes.paragraph(text=text) for text in known.documentation.replace("``", "").split("\n\n")
    ]
    if known.args:
        args = nodes.bullet_list()
        for arg in known.args:
            args += nodes.list_item("", nodes.paragraph(text=f"{arg.description}{_kind(arg)}."))
        body.append(args)
    flags = [
        text
        for holds, text in (
            (not known.one_to_one, "not one-to-one"),
            (known.stateless, "stateless"),
            (known.peeks, "looks ahead"),
        )
        if holds
    ]
    if flags:
        body.append(nodes.paragraph("", "", nodes.emphasis(text=f"Declared: {', '.join(flags)}.")))
    for example in EXAMPLES[known.name]:
        points, results = info.written(example.points), info.written(example.results)
        body.append(_block(f"{example.script}\n  of  {points}\n  is  {results}"))
    args_text = ", ".join(f"arg{number}{'?' * arg.optional}" for number, arg in enumerate(known.args, 1))
    return _item(f"transform-{known.name}", known.name, f"({args_text})" if known.args else "", body)


def _kind(arg: Argument) -> str:
    default = f", by default {arg.default!r}" if arg.optional and arg.default is not None else ""
    return f" ({arg.takes.value}{default or (', may be left out' if arg.optional else '')})"


def _block(text: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language="none")


def _item(ident: str, name: str, args: str, body: list[nodes.Node]) -> nodes.definition_list_item:
    term = nodes.term("", "", nodes.literal(text=f"{name}{args}"), ids=[nodes.make_id(ident) or "transform-data"])
    return nodes.definition_list_item("", term, nodes.definition("", *body))


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx what is here."""
    app.add_directive("transforms", Transforms)
    app.add_directive("interpolators", Interpolators)
    return {"parallel_read_safe": True, "version": "1"}
