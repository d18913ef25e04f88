"""A value of several parts that is not changed once it is made; no dataclass, as loading what makes one takes longer than all else."""

from __future__ import annotations

from typing import Any, NoReturn


class Frozen:
    """Equal to, and hashed like, others of its class with the same parts; a copy, or another process, makes it from them."""

    __slots__ = ()

    def _values(self) -> tuple[Any, ...]:
        """Return its parts, in the order in which it is made from them."""
        raise NotImplementedError

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse to be changed."""
        raise AttributeError(f"a {type(self).__name__} does not change; make another one to say {name}={value!r}")

    def __eq__(self, other: object) -> bool:
        """Tell whether it says the same."""
        return (
            self._values() == other._values()
            if isinstance(other, Frozen) and type(other) is type(self)
            else NotImplemented
        )

    def __hash__(self) -> int:
        """Return a hash of what it says."""
        return hash(self._values())

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a copy, or another process, makes it from."""
        return type(self), self._values()
