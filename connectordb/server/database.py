"""
The database folder: making one, opening it for one server at a time, and finding out who has it open.

::

    DIR/connectordb.db     everything that is kept
    DIR/connectordb.key    signs session cookies; secret; made by the first server that runs
    DIR/connectordb.lock   locked by the operating system while a server runs; that it exists means nothing
    DIR/connectordb.pid    {"pid", "url"} of that server, as JSON; believed only while the lock is held

A server that is killed leaves the last two and SQLite's own files behind; the next one goes on from there.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

from filelock import FileLock
from filelock import Timeout as LockTimeout

from ..exceptions import DatabaseInUse, LocalProtocolError, StorageError
from ..protocol.constants import RESERVED_USER_NAMES
from ..protocol.paths import check_name, is_name
from ..runtime.durable import flush, write
from .config import Storage as StorageSettings
from .rights.passwords import hash_password
from .storage import SQLiteStorage, Storage
from .tree import ADMIN, create_user

FILE = "connectordb.db"
_LOCK = "connectordb.lock"
_PID = "connectordb.pid"

#: Seconds to wait for the lock: `running` holds it for a moment to see whether it is free.
_LOCK_PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Created:
    """
    A database that was made.

    Attributes:
        name: The administrator's name.
        password: The generated password; `None` if one was given.
    """

    name: str
    password: str | None


@dataclass(frozen=True, slots=True)
class Running:
    """
    A server that has a folder open.

    Attributes:
        pid: Its process id.
        url: Its URL; `None` if it does not listen yet.
    """

    pid: int
    url: str | None


class Database:
    """A database folder that is open, and no one else's until `close`. Made by `open`."""

    def __init__(self, directory: Path, storage: Storage, lock: FileLock) -> None:
        self.directory = directory
        self.storage = storage
        self._lock = lock

    def announce(self, url: str) -> None:
        """Write down the server's URL, for `running`."""
        _write_status(self.directory, url)

    def close(self) -> None:
        """Finish the storage's work, then release the folder. May be called again."""
        try:
            self.storage.close()
        finally:
            if self._lock.is_locked:
                # before releasing the lock: after that, the file could be the next server's
                with contextlib.suppress(FileNotFoundError):
                    (self.directory / _PID).unlink()
                self._lock.release()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def create(
    directory: str | os.PathLike[str],
    *,
    user: str | None = None,
    password: str | None = None,
    email: str | None = None,
    test: bool = False,
) -> Created:
    """
    Make a database with an administrator in it; completely, or not at all.

    Args:
        directory: The folder; it must not exist yet.
        user: The administrator's name. Without it, your login name on this machine if that is valid here, else ``owner``.
        password: The administrator's password; without it, one is generated.
        email: The administrator's address; by default ``root@localhost``.
        test: For trying things out: the defaults become ``test``, with the password ``test`` and ``test@localhost``.

    Raises:
        LocalProtocolError: The name, password or address is not valid.
        StorageError: The folder exists, or cannot be made.
    """
    path = Path(directory).absolute()
    if os.path.lexists(path):
        raise StorageError(
            f"Cannot initialize database in an existing directory: {str(path)!r} is there already; give a path that is "
            f"not, or if it is a database, start it (connectordb start)"
        )
    name = _admin_name("test" if test and user is None else user)
    if test and user is None and password is None:
        password = "test"
    given = password is not None
    password = secrets.token_urlsafe(12) if password is None else password
    if not password:
        raise LocalProtocolError(f"an empty password for {name!r}: give one, or none to have one made up")
    email = checked_email(email or ("test@localhost" if test and name == "test" else "root@localhost"))
    fields = {"name": name, "email": email, "role": ADMIN, "public": False}
    with built(path) as building:
        with contextlib.closing(SQLiteStorage(building / FILE, readers=1)) as storage:
            hashed = hash_password(password)
            storage.write(lambda writer: create_user(writer, fields, hashed)).result()
    return Created(name, None if given else password)


def _admin_name(wanted: str | None) -> str:
    if wanted is not None:
        return checked_name(wanted)
    try:
        own = getpass.getuser()
    except (KeyError, OSError, ImportError):  # which of them depends on the system and the version of Python
        own = ""
    return own if is_name(own) and own not in RESERVED_USER_NAMES else "owner"


def checked_name(name: str) -> str:
    """
    Return the name of a new user.

    Raises:
        LocalProtocolError: No user can have this name.
    """
    if check_name(name) in RESERVED_USER_NAMES:
        raise LocalProtocolError(f"{name!r} is a reserved name, which no user can have; give another one")
    return name


def checked_email(email: str) -> str:
    """
    Return an email address, having checked it.

    Raises:
        LocalProtocolError: It is not valid.
    """
    before, _, after = parseaddr(email)[1].partition("@")
    if not (before and after):
        raise LocalProtocolError(f"{email!r} is no email address: expected something like 'mara@example.org'")
    return email


@contextlib.contextmanager
def built(path: Path) -> Iterator[Path]:
    """
    Give the block a temporary folder to fill, which only its owner can read; then rename it to *path* and flush it to disk.

    If the block fails, nothing is left.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))  # 0700 from its first moment
    except OSError as error:
        raise StorageError(f"making {str(path)!r}: {error.strerror}; give a path where a folder can be made") from error
    try:
        yield building
        flush(building)
        building.rename(path)
        flush(path.parent)
    except OSError as error:
        raise StorageError(f"making {str(path)!r}: {error.strerror}") from error
    finally:
        # after the renaming there is nothing to remove
        shutil.rmtree(building, ignore_errors=True)


def open(directory: str | os.PathLike[str], settings: StorageSettings | None = None) -> Database:
    """
    Open a database folder, for one server at a time.

    Args:
        directory: Where it is.
        settings: How it is read and written.

    Raises:
        DatabaseInUse: Another server has it open.
        StorageError: It is no database folder, cannot be read and written, or was made by a newer version of this package.
    """
    path = _checked_folder(directory)
    lock = _locked(path)
    try:
        _write_status(path, None)
        settings = settings or StorageSettings()
        storage = SQLiteStorage(path / FILE, settings.readers, settings.group_inserts, settings.group_seconds)
        return Database(path, storage, lock)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to report
            (path / _PID).unlink()
        lock.release()
        raise


def _checked_folder(directory: str | os.PathLike[str]) -> Path:
    path = Path(directory).absolute()
    try:
        if (path / FILE).is_file():
            if (path / FILE).stat().st_size:
                return path
            raise StorageError(
                f"opening {str(path / FILE)!r}: it is empty, and what was in it is gone; bring back a backup (connectordb restore)"
            )
    except OSError as error:
        raise StorageError(f"looking at {str(path)!r}: {error.strerror}; may its files be read and written?") from error
    if not path.exists():
        found = "there is nothing there"
    elif not path.is_dir():
        found = "it is a file"
    else:
        found = f"there is no {FILE} in it"
    raise StorageError(f"{str(path)!r} is no database folder: {found}; `connectordb create DIR` makes one")


def database_file(directory: str | os.PathLike[str]) -> Path:
    """
    Return the file in which a database folder keeps everything.

    Raises:
        StorageError: It is no database folder, or cannot be read.
    """
    return _checked_folder(directory) / FILE


@contextlib.contextmanager
def only_while_stopped(directory: str | os.PathLike[str]) -> Iterator[Path]:
    """
    Keep a database folder, whose server is stopped, from being opened by a server during the block.

    Raises:
        DatabaseInUse: A server has it open.
        StorageError: It is no database folder, or cannot be read and written.
    """
    path = _checked_folder(directory)
    lock = _locked(path)
    try:
        yield path
    finally:
        lock.release()


def _locked(path: Path) -> FileLock:
    lock = _new_lock(path)
    try:
        lock.acquire(timeout=_LOCK_PATIENCE)
    except LockTimeout as error:
        raise _in_use(path) from error
    except OSError as error:
        raise StorageError(f"opening {str(path)!r}: {error.strerror}; may its files be written?") from error
    return lock


def _new_lock(path: Path) -> FileLock:
    # not thread_local, as the thread that closes a server need not be the one that opened it
    return FileLock(path / _LOCK, mode=0o600, thread_local=False)


def _in_use(path: Path) -> DatabaseInUse:
    server = _read_status(path)
    who = f"the server with process id {server.pid}" if server else "another server"
    return DatabaseInUse(f"{str(path)!r} is in use by {who}; stop it first (connectordb stop), or give another folder")


def running(directory: str | os.PathLike[str]) -> Running | None:
    """
    Return the server that has a folder open; `None` if none has, which is certain for a folder on a read-only disk.

    Raises:
        StorageError: It is no database folder, or cannot be read and written.
    """
    path = _checked_folder(directory)
    lock = _new_lock(path)
    try:
        with lock.acquire(timeout=0):
            return None
    except LockTimeout:
        return _read_status(path)
    except OSError as error:
        if error.errno == errno.EROFS:
            return None
        raise StorageError(f"looking at {str(path)!r}: {error.strerror}; may its files be written?") from error


def _write_status(path: Path, url: str | None) -> None:
    write(path / _PID, json.dumps({"pid": os.getpid(), "url": url}).encode())


def _read_status(path: Path) -> Running | None:
    try:
        status = json.loads((path / _PID).read_text())
        return Running(int(status["pid"]), status["url"])
    except (OSError, ValueError, TypeError, KeyError):
        return None  # the server has just started, or is about to end
