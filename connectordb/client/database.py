"""The raw connection: requests by verb and path, for endpoints that have no method of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..exceptions import LocalProtocolError
from ..protocol import json_text, rest

if TYPE_CHECKING:
    import requests

    from .session import Session

_VERBS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")


def request(
    session: Session, method: str, path: str, params: Mapping[str, Any] | None = None, data: Any = None
) -> requests.Response:
    """
    Send a request to any endpoint, and return the answer.

    Args:
        session: Sends it.
        method: The HTTP verb.
        path: The path below ``/api/v1``.
        params: The query parameters; those that are ``None`` are left out.
        data: The value of the JSON body; with ``None`` there is no body.

    Raises:
        LocalProtocolError: There is no such verb, the path has a query, or the data cannot be JSON.
        ResponseError: The answer's status is not 200.
        ConnectionFailed: There is no answer.
    """
    verb = method.upper() if isinstance(method, str) else ""
    if verb not in _VERBS:
        raise LocalProtocolError(f"{method!r} is no verb of the REST interface; there are {', '.join(_VERBS)}")
    if not isinstance(path, str) or "?" in path or "#" in path:
        raise LocalProtocolError(f"{path!r} is no path below /api/v1; what follows a '?' goes into params")
    body = None if data is None else json_text.dumps(json_text.checked(data))
    below = "/" + quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~")
    inserts = len(data) if below.endswith("/data") and verb in ("POST", "PUT") and isinstance(data, list) else 0
    texts = {name: _text(value) for name, value in (params or {}).items() if value is not None}
    return session.send(rest.Request(verb, below, lambda body: None, texts, body, inserts))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Database:
    """
    The raw connection of a `ConnectorDB`, which every object has as ``db``.

    Answers are `requests.Response` objects; a refusal raises an exception.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def baseurl(self) -> str:
        """The server's address, without ``/api/v1``."""
        return self._session.url

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> requests.Response:
        """
        Read something below ``/api/v1/``.

        Calls: ``GET <path>``.
        """
        return request(self._session, "GET", path, params)

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> requests.Response:
        """
        Read something below ``/api/v1/crud/``.

        Calls: ``GET crud/<path>``.
        """
        return request(self._session, "GET", _crud(path), params)

    def create(self, path: str, data: Any = None) -> requests.Response:
        """
        Create something, or insert points at ``<path>/data``.

        Calls: ``POST crud/<path>``.
        """
        return request(self._session, "POST", _crud(path), data={} if data is None else data)

    def update(self, path: str, data: Any = None) -> requests.Response:
        """
        Change something, or insert points at ``<path>/data``, moving times that are too old to the newest one.

        Calls: ``PUT crud/<path>``.
        """
        return request(self._session, "PUT", _crud(path), data={} if data is None else data)

    def delete(self, path: str) -> requests.Response:
        """
        Delete something.

        Calls: ``DELETE crud/<path>``.
        """
        return request(self._session, "DELETE", _crud(path))

    def query(self, query_type: str, query: Any = None) -> Any:
        """
        Run a query over several streams.

        Args:
            query_type: ``"merge"`` or ``"dataset"``.
            query: The query, as it goes over the wire (``docs/topics/wire.rst``).

        Returns:
            The value of the answer's JSON.

        Calls: ``POST query/<query_type>``.
        """
        return self._session.call(rest.query(query_type, json_text.checked(query)))

    def __repr__(self) -> str:
        """Return the server."""
        return f"<Database at {self.baseurl}>"


def _crud(path: str) -> str:
    return f"crud/{path.lstrip('/')}"
