"""Help on the transforms and interpolators of PipeScript, as text for a terminal, made from their registry."""

from __future__ import annotations

from difflib import get_close_matches
from string import ascii_lowercase
from textwrap import fill
from typing import Any

import click

from ..pipescript import INTERPOLATORS, TRANSFORMS, Argument, Transform, info

#: The width of explanations, in characters.
_WIDTH = 100


def listed() -> str:
    """Return a list of all transforms and interpolators, with a line for each."""
    usages = {_usage(each): each.description for each in TRANSFORMS.values()}
    named = {each.name: each.description for each in INTERPOLATORS.values()}
    width = max(map(len, (*usages, *named)))
    parts = ["Transforms"]
    parts += [f"  {usage:<{width}}  {description}" for usage, description in sorted(usages.items())]
    parts += ["", "Interpolators, which make columns of datasets; any script is one, too"]
    parts += [f"  {name:<{width}}  {description}" for name, description in sorted(named.items())]
    parts += ["", "To have one of them explained: connectordb pipescript --explain NAME"]
    return "\n".join(parts)


def known(name: str | None) -> dict[str, Any]:
    """
    Return the descriptions that a server gives of all transforms and interpolators, or of those with a name.

    Raises:
        ClickException: There is none of that name.
    """
    found = {"transforms": info.transforms(), "interpolators": info.interpolators()}
    if name is None:
        return found
    explained(name)  # raises an error with similar names if there is none
    return {kind.removesuffix("s"): each[name] for kind, each in found.items() if name in each}


def explained(name: str) -> str:
    """
    Return an explanation of the transform, and of the interpolator, with a name.

    Raises:
        ClickException: There is neither.
    """
    parts = []
    if name in TRANSFORMS:
        parts.append(_transform(TRANSFORMS[name]))
    if name in INTERPOLATORS:
        parts.append(f"{name}, an interpolator\n\n{_wrapped(info.interpolators()[name]['documentation'])}")
    if not parts:
        near = get_close_matches(name, {**TRANSFORMS, **INTERPOLATORS}, n=3)
        said = f"did you mean {', '.join(near)}?" if near else "connectordb pipescript --list shows all"
        raise click.ClickException(f"there is no transform and no interpolator {name!r}; {said}")
    return "\n\n".join(parts)


def _usage(transform: Transform) -> str:
    """Return the usage of a transform: a letter for each argument, in square brackets if the argument is optional."""
    letters = zip(ascii_lowercase, transform.args, strict=False)
    said = [f"[{letter}]" if argument.optional else letter for letter, argument in letters]
    return f"{transform.name}({', '.join(said)})" if said else transform.name


def _transform(transform: Transform) -> str:
    parts = [f"{_usage(transform)}\n\n{_wrapped(f'{transform.description}.')}"]
    if transform.args:
        arguments = [
            fill(
                f"  {letter}: {argument.description}; {argument.takes.value}{_default(argument)}",
                _WIDTH,
                subsequent_indent="     ",
            )
            for letter, argument in zip(ascii_lowercase, transform.args, strict=False)
        ]
        parts.append("\n".join(["Arguments", *arguments]))
    declared = [
        text
        for holds, text in (
            (transform.one_to_one, "gives one result for each point"),
            (transform.stateless, "looks at the current point only"),
            (transform.peeks, "looks ahead"),
        )
        if holds
    ]
    if declared:
        parts.append(f"It {', and '.join(declared)}.")
    parts += [
        f"{what} {schema}"
        for what, schema in (("Data fits", transform.ischema), ("Results fit", transform.oschema))
        if schema
    ]
    parts.append(_wrapped(info.documentation(transform)))
    return "\n\n".join(parts)


def _default(argument: Argument) -> str:
    value: Any = argument.default
    return f"; without it {value}" if argument.optional else ""


def _wrapped(text: str) -> str:
    """Wrap paragraphs for a terminal, except those that are indented, which are code."""
    return "\n\n".join(
        part if part.startswith(" ") else fill(part, _WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in text.split("\n\n")
    )
