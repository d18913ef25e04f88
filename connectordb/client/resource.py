"""What users, devices and streams have in common: a path, a session, and metadata that are fetched when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..exceptions import NotFound
from ..protocol import refusals, rest
from ..protocol.paths import Path
from .fields import Field
from .shown import Shown

if TYPE_CHECKING:
    from .database import Database
    from .session import Session
    from .user import User


class ConnectorObject(Shown):
    """
    A user, a device or a stream. Creating the object does not contact the server.

    The classes need not import each other: each registers itself for the depth of its paths (1 for ``user``, 2 for
    ``user/device``, 3 for ``user/device/stream``), and `_at` makes an object of the right class for a path.
    """

    _class_at_depth: ClassVar[dict[int, type[ConnectorObject]]] = {}

    nickname: Field[str | None] = Field(None, doc="A name for people.")
    description: Field[str | None] = Field(None, doc="What it is, in up to 1000 characters.")
    icon: Field[str | None] = Field(None, doc="``material:…`` or ``fa:…``, or an image as URL-safe base64.")

    def __init_subclass__(cls, *, depth: int | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if depth is not None:
            cls._class_at_depth[depth] = cls

    def __init__(self, session: Session, path: Path | None, data: rest.Fields | None = None) -> None:
        self._session = session
        # None is the device that is logged in, whose path only the server knows at first
        self._place = path
        self._data = data

    # --- where it is --------------------------------------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        return self._session.path if self._place is None else self._place

    @property
    def path(self) -> str:
        """``"user"``, ``"user/device"`` or ``"user/device/stream"``."""
        return str(self._path)

    @property
    def name(self) -> str:
        """The last part of the path; it never changes."""
        return self._path.name

    @property
    def db(self) -> Database:
        """The raw connection, for requests that have no method of their own."""
        from .database import Database  # few programs need it

        return Database(self._session)

    def _at(self, path: Path, data: rest.Fields | None = None) -> ConnectorObject:
        return self._class_at_depth[path.depth](self._session, path, data)

    def _listed(self, parent: Path, listed: list[rest.Fields]) -> list[Any]:
        """Return the objects in a listing of what is below *parent*, with their metadata."""
        return [self._at(parent / fields["name"], fields) for fields in listed]

    def _user(self) -> User:
        return cast("User", self._at(self._path.user))

    # --- metadata -----------------------------------------------------------------------------------------------------

    @property
    def data(self) -> rest.Fields:
        """
        The metadata as a dict; fetched at the first use, and by `refresh`.

        Calls: ``GET crud/<path>``, if they were not fetched yet.
        """
        if self._data is None:
            self.refresh()
        assert self._data is not None
        return self._data

    @property
    def metadata(self) -> rest.Fields:
        """The same as `data`."""
        return self.data

    def refresh(self) -> None:
        """
        Fetch the metadata anew.

        Calls: ``GET crud/<path>``.
        """
        self._data = self._session.call(rest.read(self._path))

    def exists(self) -> bool:
        """
        Return whether it exists and this caller may see it.

        Raises:
            ConnectorDBError: That could not be found out, for instance because there is no server (`ConnectionFailed`).

        Calls: ``GET crud/<path>``.
        """
        try:
            self.refresh()
        except NotFound as refused:
            if not refusals.says_absent(refused):
                raise
            self._data = None
            return False
        return True

    def set(self, property_dict: Mapping[str, Any]) -> None:
        """
        Change some of the metadata. Either all given properties are changed, or none is.

        Args:
            property_dict: Property → new value; a schema may be a dict or JSON text.

        Raises:
            LocalProtocolError: There is no such property, or a value cannot be JSON.
            jsonschema.SchemaError: The schema is not valid.
            InvalidRequest: The server does not accept a value.
            PermissionDenied: The caller may not change it.

        Calls: ``PUT crud/<path>``.
        """
        from . import properties  # programs that only read do not need it

        fields = properties.for_update(self._path.kind, property_dict)
        self._keep(self._session.call(rest.update(self._path, fields)))

    def delete(self) -> None:
        """
        Delete it, with everything below it.

        Calls: ``DELETE crud/<path>``.
        """
        self._session.call(rest.delete(self._path))
        self._data = None

    def _create(self, given: Mapping[str, Any]) -> None:
        from . import properties

        fields = properties.for_create(self._path.kind, self._path.name, given)
        self._data = self._session.call(rest.create(self._path, fields))

    def _keep(self, answer: rest.Fields) -> None:
        """
        Keep the metadata that a server answers to an update.

        What this caller may not see a read leaves out, while the answer to an update has it as ``""`` or ``false``. So such a
        value is dropped if a read did not show the property either.
        """
        known = self._data
        hidden = {
            name
            for name, value in answer.items()
            if value in ("", False) and (name == "apikey" or (known is not None and name not in known))
        }
        self._data = {name: value for name, value in answer.items() if name not in hidden}

    # --- in another process -----------------------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle class, session and path; the copy fetches its metadata anew."""
        return _restored, (type(self), self._session, self._place)

    # --- as a value ---------------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        """Return whether it is the same path on the same server."""
        if not isinstance(other, ConnectorObject):
            return NotImplemented
        return (self._session.origin, self._path) == (other._session.origin, other._path)

    def __hash__(self) -> int:
        """Return a hash of server and path."""
        return hash((self._session.origin, self._path))

    def __repr__(self) -> str:
        """Return class, path and server, without asking the server."""
        place = self._place or self._session.path_if_known
        return f"<{type(self).__name__}{f' {str(place)!r}' if place else ''} at {self._session.url}>"


def _restored(kind: type[ConnectorObject], session: Session, place: Path | None) -> ConnectorObject:
    restored = kind.__new__(kind)
    ConnectorObject.__init__(restored, session, place)  # and not its own: that of `ConnectorDB` would log in
    return restored
