"""Signatures as text, for tables of what programs for 0.3.5 call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def by_position(function: Callable[..., Any]) -> str:
    """
    Return the parameters that are not keyword-only, with their defaults: ``"stream t1=None **properties"``.

    Those that are keyword-only were added since, and so must have a default.
    """
    parameters = [item for item in inspect.signature(function).parameters.values() if item.name != "self"]
    added = [item for item in parameters if item.kind is item.KEYWORD_ONLY]
    lacking = [item.name for item in added if item.default is item.empty]
    if lacking:
        raise AssertionError(f"{function!r} has new parameters without a default: {', '.join(lacking)}")
    return " ".join(
        str(item.replace(annotation=item.empty)).replace(" ", "") for item in parameters if item not in added
    )
