"""The raw connection: requests by verb and path, for what has no method of its own."""

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
    session: Session, method: str, path: str, params: Mapping[str, Any] | None, data: Any, has_body: bool
) -> requests.Response:
    """
    Send a request to any endpoint, and return its answer.

    Raises:
        LocalProtocolError: The verb is none, or the data are no JSON.
        ResponseError: The answer is not 200.
        ConnectionFailed: There is no answer.
    """
    verb = method.upper() if isinstance(method, str) else ""
    if verb not in _VERBS:
        raise LocalProtocolError(f"{method!r} is no verb of the REST interface; there are {', '.join(_VERBS)}")
    if not isinstance(path, str) or "?" in path or "#" in path:
        raise LocalProtocolError(f"{path!r} is no path below /api/v1; what follows a '?' goes into params")
    body = None
    if has_body:
        body = json_text.dumps(json_text.checked(data))
    below = "/" + quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~")
    inserts = len(data) if below.endswith("/data") and verb in ("POST", "PUT") and isinstance(data, list) else 0
    texts = {name: _text(value) for name, value in (params or {}).items() if value is not None}
    return session.send(rest.Request(verb, below, lambda body: None, texts, body, inserts))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Database:
    """
    The raw connection of a `ConnectorDB`, which every object shows as ``db``.

    Answers are those of the library requests; a failed one is raised.
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
        return request(self._session, "GET", path, params, None, False)

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> requests.Response:
        """
        Read something below ``/api/v1/crud/``.

        Calls: ``GET crud/<path>``.
        """
        return request(self._session, "GET", _crud(path), params, None, False)

    def create(self, path: str, data: Any = None) -> requests.Response:
        """
        Create something, or insert points at ``<path>/data``.

        Calls: ``POST crud/<path>``.
        """
        return request(self._session, "POST", _crud(path), None, {} if data is None else data, True)

    def update(self, path: str, data: Any = None) -> requests.Response:
        """
        Change something, or insert points at ``<path>/data``, moving times that are too old.

        Calls: ``PUT crud/<path>``.
        """
        return request(self._session, "PUT", _crud(path), None, {} if data is None else data, True)

    def delete(self, path: str) -> requests.Response:
        """
        Delete something.

        Calls: ``DELETE crud/<path>``.
        """
        return request(self._session, "DELETE", _crud(path), None, None, False)

    def query(self, query_type: str, query: Any = None) -> Any:
        """
        Run a query over several streams.

        Args:
            query_type: ``"merge"`` or ``"dataset"``.
            query: As the wire has it.

        Returns:
            What the answer's JSON says.

        Calls: ``POST query/<query_type>``.
        """
        return self._session.call(rest.query(query_type, json_text.checked(query)))

    def __repr__(self) -> str:
        """Return the server."""
        return f"<Database at {self.baseurl}>"


def _crud(path: str) -> str:
    return f"crud/{path.lstrip('/')}"
