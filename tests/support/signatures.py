"""Signatures as text, for tables of what programs for 0.3.5 call."""

from __future__ import annotations

import inspect
import unittest
from collections.abc import Callable, Mapping
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


def check_signatures(case: unittest.TestCase, wanted: Mapping[Callable[..., Any], str]) -> None:
    """Check that functions have these parameters, as `by_position`, and say what they do."""
    for function, parameters in wanted.items():
        with case.subTest(function.__qualname__):
            case.assertEqual(by_position(function), parameters)
            case.assertTrue(function.__doc__)
