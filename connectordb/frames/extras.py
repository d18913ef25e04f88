"""The optional libraries, imported when first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Which extra brings a library; all others come with ``frames``.
_EXTRAS = {"matplotlib": "plot", "dateutil": "plot"}


def library(name: str, what: str) -> Any:
    """
    Return a library.

    Args:
        name: The module.
        what: What needs it, for the message.

    Raises:
        ModuleNotFoundError: It is not installed.
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
