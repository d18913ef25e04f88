"""`Field`: a metadata property, declared once; reading it uses the fetched metadata, assigning it sends a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from typing_extensions import Self

    from .resource import ConnectorObject

T = TypeVar("T")


class Field(property, Generic[T]):
    """
    One property of a user, device or stream.

    It is a subclass of `property` because tab completion does not evaluate those; evaluating it would ask the server.

    Args:
        default: Its value if the server does not show it to this caller.
        doc: What it means.
        readonly: Whether it cannot be assigned.
    """

    def __init__(self, default: T, *, doc: str, readonly: bool = False) -> None:
        super().__init__(
            lambda instance: self.__get__(instance, None),
            None if readonly else lambda instance, value: self.__set__(instance, value),
        )
        self._default = default
        self._readonly = readonly
        self.__doc__ = doc

    def __set_name__(self, owner: type[ConnectorObject], name: str) -> None:
        """Learn the property's name."""
        self._name = name
        # from this annotation a prompt knows what methods the value has, without evaluating it
        kind = bool if "bool" in owner.__annotations__[name] else str
        self.fget.__annotations__["return"] = kind

    @overload  # type: ignore[override]  # a property's value may have any type, the type of this one is known
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: ConnectorObject, owner: Any) -> T: ...
    def __get__(self, instance: ConnectorObject | None, owner: Any) -> T | Self:
        """Return the value; the object's metadata are fetched if they were not yet."""
        if instance is None:
            return self
        value: T = instance.data.get(self._name, self._default)
        return value

    def __set__(self, instance: ConnectorObject, value: T) -> None:
        """Change it on the server."""
        if self._readonly:
            raise AttributeError(f"{self._name} of {instance!r} cannot be assigned")
        instance.set({self._name: value})
