"""Objects that end at the end of a ``with`` block."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self

C = TypeVar("C", bound="Closing")


class Closing(ABC):
    """Something with a ``close()`` that may be called twice, and is called at the end of a block."""

    _process: int

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Make it, and remember which process it belongs to."""
        made = super().__new__(cls)
        made._process = os.getpid()
        return made

    @abstractmethod
    def close(self) -> None:
        """End it."""

    def __enter__(self) -> Self:
        """Return the object."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()


def by_its_process(close: Callable[[C], None]) -> Callable[[C], None]:
    """Make *close* do nothing in a forked child: the threads that it would wait for, and that hold locks, do not exist there."""

    @wraps(close)
    def closed(self: C) -> None:
        if self._process == os.getpid():
            close(self)

    return closed
