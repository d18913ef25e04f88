"""
Descriptions of all transforms and interpolators, in the form of a server's ``/meta/transforms`` and ``/meta/interpolators``
(``docs/topics/wire.rst``), and for the documentation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .examples import ASKED, EXAMPLES, Example
from .interpolators import INTERPOLATORS
from .registry import REQUIRED, TRANSFORMS, Argument, Takes, Transform

#: Arguments that have to be constant, but are not declared so, as on the original server: the transform and the argument's place.
_UNDECLARED = {("bottom", 0)}


def transforms() -> dict[str, dict[str, Any]]:
    """Return all transforms by name, as ``/meta/transforms`` has them."""
    return {name: _transform(TRANSFORMS[name]) for name in sorted(TRANSFORMS)}


def interpolators() -> dict[str, dict[str, str]]:
    """Return all interpolators by name, as ``/meta/interpolators`` has them."""
    return {
        name: {
            "name": name,
            "description": INTERPOLATORS[name].description,
            "documentation": _asked(name),
            "ischema": "",
            "oschema": "",
        }
        for name in sorted(INTERPOLATORS)
    }


def _transform(known: Transform) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": known.name,
        "description": known.description,
        "documentation": documentation(known),
        "args": [_argument(known, place, arg) for place, arg in enumerate(known.args)] or None,
        "one_to_one": known.one_to_one,
        "stateless": known.stateless,
        "peek": known.peeks,
    }
    if known.ischema:
        told["ischema"] = known.ischema
    if known.oschema:
        told["oschema"] = known.oschema
    return told


def _argument(known: Transform, place: int, arg: Argument) -> dict[str, Any]:
    told: dict[str, Any] = {"description": arg.description, "optional": arg.optional}
    constant = arg.takes is Takes.CONSTANT
    if not constant and arg.default is not REQUIRED:
        told["default"] = None  # it is a script
    elif constant and arg.default is not REQUIRED and arg.default is not None:
        told["default"] = arg.default
    told["constant"] = constant and (known.name, place) not in _UNDECLARED
    told["hijacked"] = arg.takes is Takes.SCRIPT
    return told


def documentation(known: Transform) -> str:
    """Return all about a transform, in Markdown."""
    shown = "\n\n".join(_shown(example) for example in EXAMPLES[known.name])
    return f"{known.documentation}\n\n{shown}"


def _shown(example: Example) -> str:
    return f"    {example.script}\n\ngives `{written(example.results)}` of `{written(example.points)}`."


def _asked(name: str) -> str:
    asked = ASKED[name]
    return (
        f"{INTERPOLATORS[name].description}.\n\nOf `{written(asked.points)}`, asked at `{written(asked.times)}`, "
        f"it is `{written(asked.results)}`."
    )


def written(values: Sequence[Any]) -> str:
    """Return data, or pairs of time and data, as JSON."""
    told = [{"t": value[0], "d": value[1]} if isinstance(value, tuple) else value for value in values]
    return json.dumps(told)
