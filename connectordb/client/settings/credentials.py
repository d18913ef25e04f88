"""`Credentials`: a name and a password, an API key, or nothing; never shown and never logged; pure."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple

from ...exceptions import LocalProtocolError
from ...runtime.unshown import UnshownText


class Credentials(NamedTuple):
    """
    A name and a password, or an API key, or nothing (which logs in as nobody).

    Attributes:
        name: A user's name or email address; empty with an API key.
        secret: The password or the API key; empty for nobody.
    """

    name: str = ""
    secret: str = ""

    @classmethod
    def of(cls, user_or_apikey: str | None, user_password: str | None) -> Credentials:
        """
        Return the credentials that a user passed to `ConnectorDB`.

        Raises:
            LocalProtocolError: They are neither a name and a password, nor a key, nor nothing.
        """
        for given in (user_or_apikey, user_password):
            if given is not None and not isinstance(given, str):
                raise LocalProtocolError(f"credentials are text, not {type(given).__name__}")
        if user_or_apikey is None:
            if user_password is not None:
                raise LocalProtocolError("a password without a user: say ConnectorDB('name', 'password')")
            return cls()
        # an original server takes an empty key for the one of some user's device
        if not user_or_apikey.strip():
            raise LocalProtocolError("an empty user name or API key; to go on without any, pass None")
        if user_password is None:
            # a key that was read from a file may have a line end
            return cls(secret=user_or_apikey.strip())
        if ":" in user_or_apikey:
            raise LocalProtocolError(f"{user_or_apikey!r} is no user name and no email address: it has a colon")
        if user_password.startswith(("http://", "https://")):
            raise LocalProtocolError("an address was passed as the password: say url=…")
        return cls(user_or_apikey, user_password)

    @property
    def are_a_password(self) -> bool:
        """Whether they contain a password, which the server checks slowly for each request."""
        return bool(self.name)

    @property
    def header(self) -> str | None:
        """The value of the ``Authorization`` header, or ``None`` for nobody."""
        if not self.name and not self.secret:
            return None
        return UnshownText("Basic " + b64encode(f"{self.name}:{self.secret}".encode()).decode())

    def __str__(self) -> str:
        """Return a description without the secret."""
        if self.name:
            return f"the name {self.name!r} and its password"
        return "the API key" if self.secret else "no credentials"

    def __repr__(self) -> str:
        """Return a description without the secret, as values like this end up in logs and tracebacks."""
        return f"<Credentials: {self}>"
