"""What there is in the transform language, as text for a terminal, out of its registry."""

from __future__ import annotations

from difflib import get_close_matches
from inspect import cleandoc
from textwrap import indent
from typing import Any

import click

from ..pipescript import INTERPOLATORS, TRANSFORMS, Argument, Transform


def listed() -> str:
    """Return all transforms and interpolators, a line each."""
    usages = {_usage(each): each.description for each in TRANSFORMS.values()}
    named = {each.name: each.description for each in INTERPOLATORS.values()}
    width = max(map(len, (*usages, *named)))
    parts = ["Transforms"]
    parts += [f"  {usage:<{width}}  {description}" for usage, description in sorted(usages.items())]
    parts += ["", "Interpolators, which make columns of datasets; any script is one, too"]
    parts += [f"  {name:<{width}}  {description}" for name, description in sorted(named.items())]
    parts += ["", "All about one of them: connectordb pipescript --explain NAME"]
    return "\n".join(parts)


def explained(name: str) -> str:
    """
    Return all about a transform, and about the interpolator of that name.

    Raises:
        ClickException: There is neither.
    """
    parts = []
    if name in TRANSFORMS:
        parts.append(_transform(TRANSFORMS[name]))
    if name in INTERPOLATORS:
        named = INTERPOLATORS[name]
        parts.append(f"{name}, an interpolator\n\n{indent(named.description, '  ')}.")
    if not parts:
        near = get_close_matches(name, [*TRANSFORMS, *INTERPOLATORS], n=3)
        said = f"did you mean {', '.join(near)}?" if near else "connectordb pipescript --list tells all"
        raise click.ClickException(f"there is no transform and no interpolator {name!r}; {said}")
    return "\n\n".join(parts)


def _usage(transform: Transform) -> str:
    """Return how a transform is called, with what may be left out in square brackets."""
    names = [_name(argument, number) for number, argument in enumerate(transform.args, 1)]
    said = [f"[{name}]" if argument.optional else name for name, argument in zip(names, transform.args, strict=True)]
    return f"{transform.name}({', '.join(said)})" if said else transform.name


def _name(argument: Argument, number: int) -> str:
    return str(getattr(argument, "name", "") or f"arg{number}")


def _transform(transform: Transform) -> str:
    parts = [f"{_usage(transform)}\n\n{indent(transform.description, '  ')}."]
    if transform.args:
        arguments = [
            f"  {_name(argument, number)}: {argument.description}; {argument.takes.value}{_default(argument)}"
            for number, argument in enumerate(transform.args, 1)
        ]
        parts.append("\n".join(["Arguments", *arguments]))
    declared = [
        text
        for holds, text in (
            (transform.one_to_one, "one result for each point"),
            (transform.stateless, "looks at the current point only"),
            (transform.peeks, "looks ahead"),
        )
        if holds
    ]
    if declared:
        parts.append(f"It gives {declared[0]}" if transform.one_to_one else f"It {declared[0]}")
        parts[-1] += "".join(f", and {text}" for text in declared[1:]) + "."
    for what, schema in (("Takes", transform.ischema), ("Gives", transform.oschema)):
        if schema:
            parts.append(f"{what} {schema}")
    if transform.documentation:
        parts.append(cleandoc(transform.documentation))
    return "\n\n".join(parts)


def _default(argument: Argument) -> str:
    value: Any = argument.default
    return f"; without it {value}" if argument.optional else ""
