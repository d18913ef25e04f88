"""What commands that ask a server have in common: the connection, the object that a path means, and hints about errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import click

from ..client import ConnectorDB, Device, Stream, User
from ..exceptions import AuthenticationError
from ..protocol import refusals

#: The option for a profile, which ``connectordb login`` has written.
profile = click.option(
    "--profile", metavar="NAME", help="Use this profile; by default, what ConnectorDB() without arguments uses."
)


_NOBODY = "nobody is logged in here: connectordb login"


@contextmanager
def connect(profile: str | None) -> Iterator[ConnectorDB]:
    """Yield a connection that has not asked the server yet; a refusal ends the command with a hint at what to do."""
    with ConnectorDB(profile=profile, connect=False) as cdb:
        try:
            yield cdb
        except AuthenticationError as error:
            raise click.ClickException(with_remedy(cdb, error)) from error


def with_remedy(cdb: ConnectorDB, error: AuthenticationError) -> str:
    """Return the message of an error with a hint at what to do: log in, list what there is, or create it."""
    if _is_nobody(cdb):
        return f"{error}; {_NOBODY}"
    if error.status == HTTPStatus.UNAUTHORIZED:
        found = cdb.settings["credentials"]
        return f"{error}; what was not accepted is {found.value} ({found.source}): connectordb login"
    absent = re.match(refusals.ABSENT, error.message)
    if absent is not None and error.path.startswith("/crud/"):
        return f"{error}; {_where_it_would_be(error, absent[1])}"
    return str(error)


def _where_it_would_be(error: AuthenticationError, kind: str | None) -> str:
    """Return the command that lists what exists beside the missing object, and after a write also the one that creates it."""
    names = error.path.split("/")[2:5]
    depth = 1 + ("user", "device", "stream").index(kind) if kind else len(names)
    look = f"connectordb ls {'/'.join(names[: depth - 1]) or '/'} shows what is there"
    if depth == 1 or not kind or error.method not in ("POST", "PUT"):
        return look
    return f"{look}, connectordb new {'/'.join(names[:depth])} makes it"


def thing(cdb: ConnectorDB, path: str, *, is_new: bool = False) -> User | Device | Stream:
    """
    Return the object that a path means: ``stream`` is one of the caller's own; others are ``user/``, ``user/device`` and
    ``user/device/stream``.

    Args:
        cdb: The connection.
        path: What was typed. A name alone is always a stream and never a user, so that it is clear what ``rm`` deletes.
        is_new: Whether it is to be created; otherwise a name alone has to be that of an existing stream.
    """
    if "/" in path:
        found = cdb(path.strip("/"))
        assert isinstance(found, (User, Device, Stream))
        return found
    if _is_nobody(cdb):
        raise click.ClickException(f"{path!r} would be a stream of your own, but {_NOBODY}")
    own = cdb[path]
    if not is_new and not own.exists():
        raise click.ClickException(
            f"there is no stream {own.path!r} (connectordb new {path} makes it): a name alone is a stream of your own; "
            f"a user is written {path + '/'!r}, any other stream user/device/stream"
        )
    return own


def stream(cdb: ConnectorDB, path: str) -> Stream:
    """Return the stream that a path means; refuse the path of anything else."""
    found = thing(cdb, path)
    if not isinstance(found, Stream):
        raise click.UsageError(f"{path!r} is no stream: expected user/device/stream, or the name of one of your own")
    return found


def _is_nobody(cdb: ConnectorDB) -> bool:
    """Tell whether no credentials were found anywhere."""
    return cdb.settings["credentials"].source == "default"
