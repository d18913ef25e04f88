"""
Managing the users of a database whose server is stopped, for example if the administrator's password was lost.

Users can be listed while the server runs, as that only reads. They cannot be changed then: the server would not notice, and let
those who are logged in go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ...exceptions import LocalProtocolError
from .. import database
from ..config_file import configured
from ..onlooker import onlooking
from ..rights.accounts import USER_DEVICE, new_apikey
from ..rights.passwords import fits_none, hash_password
from ..rights.permission_files import load
from ..rights.permissions import DEFAULT
from ..storage import Reader, Taken, User, Writer
from ..tree import ADMIN, create_user

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """
    A user, for a list of them.

    Attributes:
        name: The user's name.
        email: The email address, which can also be used to log in.
        role: The role.
        public: Whether other users can see it.
        devices: How many devices it has, including those that every user has.
        password: Whether it has a password to log in with.
    """

    name: str
    email: str
    role: str
    public: bool
    devices: int
    password: bool


def list_users(directory: str | os.PathLike[str]) -> list[Account]:
    """
    Return all users of a database, in order of name. Its server may run.

    Raises:
        StorageError: It is no database folder, or cannot be read.
    """
    with onlooking(directory) as source:
        return source.look(_accounts)


def _accounts(reader: Reader) -> list[Account]:
    return [
        Account(
            user.name, user.email, user.role, user.public, len(reader.devices(user.id)), not fits_none(user.password)
        )
        for user in sorted(reader.users(), key=lambda user: user.name)
    ]


def add_user(
    directory: str | os.PathLike[str],
    name: str,
    password: str,
    *,
    email: str,
    role: str = "user",
    public: bool = False,
) -> None:
    """
    Add a user to a database.

    Args:
        directory: The database's folder, which no server has open.
        name: The user's name.
        password: The user's password.
        email: The user's address.
        role: The user's role.
        public: Whether other users can see it.

    Raises:
        DatabaseInUse: A server has the folder open.
        LocalProtocolError: Name, password, address or role is not valid, or the name or address is in use.
        StorageError: The folder cannot be read or written.
    """
    fields = {
        "name": database.checked_name(name),
        "email": database.checked_email(email),
        "role": role,
        "public": public,
    }
    hashed = _hashed(name, password)
    _check_role(directory, role)

    def work(writer: Writer) -> None:
        try:
            create_user(writer, fields, hashed)
        except Taken as taken:
            raise LocalProtocolError(
                f"adding the user {name!r}: this {taken.field} is taken; give another one"
            ) from taken

    _write(directory, work)


def set_password(directory: str | os.PathLike[str], name: str, password: str, *, new_key: bool = False) -> None:
    """
    Give a user a new password.

    Args:
        directory: The database's folder, which no server has open.
        name: The user's name.
        password: The new password.
        new_key: Also give the user's own device a new API key. That ends all logins, as cookies are bound to it.

    Raises:
        DatabaseInUse: A server has the folder open.
        LocalProtocolError: There is no such user, or the password is empty.
        StorageError: The folder cannot be read or written.
    """
    hashed = _hashed(name, password)

    def work(writer: Writer) -> None:
        user = _user(writer, name)
        writer.update_user(user.id, {"password": hashed})
        device = writer.find((name, USER_DEVICE)).device
        if new_key and device is not None:
            writer.update_device(device.id, {"apikey": new_apikey()})

    _write(directory, work)


def set_role(directory: str | os.PathLike[str], name: str, role: str, *, force: bool = False) -> None:
    """
    Give a user another role.

    Args:
        directory: The database's folder, which no server has open.
        name: The user's name.
        role: The role.
        force: Do it even if no administrator is left.

    Raises:
        DatabaseInUse: A server has the folder open.
        LocalProtocolError: There is no such user or role, or this was the last administrator.
        StorageError: The folder cannot be read or written.
    """
    _check_role(directory, role)

    def work(writer: Writer) -> None:
        user = _user(writer, name)
        if role != ADMIN and not force:
            _check_not_last(writer, user)
        writer.update_user(user.id, {"role": role})

    _write(directory, work)


def remove_user(directory: str | os.PathLike[str], name: str, *, force: bool = False) -> None:
    """
    Remove a user with all devices, streams and points.

    Args:
        directory: The database's folder, which no server has open.
        name: The user's name.
        force: Do it even if no administrator is left.

    Raises:
        DatabaseInUse: A server has the folder open.
        LocalProtocolError: There is no such user, or this was the last administrator.
        StorageError: The folder cannot be read or written.
    """

    def work(writer: Writer) -> None:
        user = _user(writer, name)
        if not force:
            _check_not_last(writer, user)
        writer.delete_user(user.id)

    _write(directory, work)


def _write(directory: str | os.PathLike[str], work: Callable[[Writer], T]) -> T:
    with database.open(directory) as opened:
        return opened.storage.write(work).result()


def _hashed(name: str, password: str) -> str:
    if not password:
        raise LocalProtocolError(f"an empty password for {name!r}: with it nobody could log in; give one")
    return hash_password(password)


def _user(reader: Reader, name: str) -> User:
    user = reader.find((name,)).user
    if user is None:
        names = [user.name for user in reader.users()]
        near = next((other for other in names if other.lower() == name.lower()), None)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(map(repr, names[:10])) or 'none'}"
        raise LocalProtocolError(f"there is no user {name!r}; {hint}")
    return user


def _check_role(directory: str | os.PathLike[str], role: str) -> None:
    file = configured(directory).permissions.file
    known = (load(Path(directory) / file) if file else DEFAULT).user_roles
    if role not in known:
        raise LocalProtocolError(f"there is no role {role!r}; there are {', '.join(map(repr, known))}")


def _check_not_last(reader: Reader, user: User) -> None:
    others = [other for other in reader.users() if other.role == ADMIN and other.id != user.id]
    if user.role == ADMIN and not others:
        raise LocalProtocolError(
            f"{user.name!r} is the last administrator: without one, nobody can administer this server. Make another one "
            f"first (connectordb user DIR role NAME {ADMIN}), or give --force"
        )
