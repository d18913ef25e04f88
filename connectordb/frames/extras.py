"""Imports the optional libraries when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Library → the extra that installs it; all others come with ``frames``.
_EXTRAS = {"matplotlib": "plot", "dateutil": "plot"}


def library(name: str, what: str) -> Any:
    """
    Import a library.

    Args:
        name: The module.
        what: What needs it, for the message.

    Raises:
        ModuleNotFoundError: It is not installed; the message names the extra that installs it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if error.name != package:
            raise
        raise ModuleNotFoundError(
            f"{what} needs {package!r}: pip install 'ConnectorDB[{_EXTRAS.get(package, 'frames')}]'", name=package
        ) from error
