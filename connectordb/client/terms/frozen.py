"""`Frozen`: an immutable value of several parts. It is no dataclass because importing that module would slow down every start."""

from __future__ import annotations

from typing import Any, NoReturn


class Frozen:
    """The base of immutable values that are compared, hashed, copied and pickled by their parts."""

    __slots__ = ()

    def _values(self) -> tuple[Any, ...]:
        """Return the parts, in the order of the arguments of ``__init__``."""
        raise NotImplementedError

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse to change."""
        raise AttributeError(f"a {type(self).__name__} does not change; make another one to say {name}={value!r}")

    def __eq__(self, other: object) -> bool:
        """Tell whether *other* is of the same class with the same parts."""
        return (
            self._values() == other._values()
            if isinstance(other, Frozen) and type(other) is type(self)
            else NotImplemented
        )

    def __hash__(self) -> int:
        """Return a hash of the parts."""
        return hash(self._values())

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle it as its class and parts."""
        return type(self), self._values()
