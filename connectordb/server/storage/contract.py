"""
What a storage promises to the rest of the server.

Work is handed in as a function. `Storage.read` runs it on a consistent view, in parallel with other reads. `Storage.write` runs
it as a transaction, one after the other: it happens completely or, if it raises, not at all, and once its future has a result,
what it did survives a power cut. Several writes may share one flush to disk. Functions must not keep the reader or writer that
they are given after they have returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ...exceptions import ConnectorDBError
from ...protocol.points import Datapoint
from .watch import State

T = TypeVar("T")
Given = TypeVar("Given", contravariant=True)


class Taken(ConnectorDBError):
    """
    A name, email address or API key is already in use.

    Attributes:
        field: Which of them: ``"name"``, ``"email"`` or ``"apikey"``.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is taken")
        self.field = field


class Older(ConnectorDBError):
    """The first point is older than the newest one stored."""


class Gone(ConnectorDBError):
    """The object to be changed, or to get something below it, does not exist; it may have been deleted since it was looked up."""


@dataclass(frozen=True, slots=True)
class User:
    """A user's row. `password` is a hash, which is never shown to anybody."""

    id: int
    name: str
    nickname: str
    email: str
    description: str
    icon: str
    role: str
    public: bool
    password: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device's row. With an empty `apikey` nobody can log in as the device."""

    id: int
    user_id: int
    name: str
    nickname: str
    description: str
    icon: str
    apikey: str
    enabled: bool
    public: bool
    role: str
    visible: bool
    user_editable: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream's row; `schema` is compact JSON text."""

    id: int
    device_id: int
    name: str
    nickname: str
    description: str
    icon: str
    schema: str
    datatype: str
    ephemeral: bool
    downlink: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What exists of a path. Below something that is missing, everything is missing."""

    user: User | None = None
    device: Device | None = None
    stream: Stream | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One sequence of points: a stream's own, or its downlink's."""

    stream_id: int
    downlink: bool = False


@dataclass(frozen=True, slots=True)
class Inserted:
    """
    What an insert has stored.

    Attributes:
        first: The index of its first point.
        times: The times at which the points were stored.
        text: The points as they were stored, as `Reader.text` returns them.
    """

    first: int
    times: list[float]
    text: bytes


@dataclass(frozen=True, slots=True)
class InsertKey:
    """
    The idempotency key of an insert, and all that it is told apart by.

    Attributes:
        device_id: The caller; 0 for an anonymous one.
        series: The series to which the insert was addressed.
        text: The key as the caller gave it.
    """

    device_id: int
    series: Series
    text: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """
    An insert that was made under a key.

    Attributes:
        body: A digest of its points.
        downlink: Whether it was stored in the stream's downlink.
        first: The index of its first point; `None` if no point was stored.
    """

    body: bytes
    downlink: bool
    first: int | None


class Reader(Protocol):
    """Reading, from one consistent view."""

    def find(self, names: Sequence[str]) -> Found:
        """Return what exists at a path of one to three names, which are compared exactly."""

    def find_login(self, name_or_email: str) -> User | None:
        """Return the user with this name or email address, ignoring case; an exact match comes first."""

    def find_key(self, apikey: str) -> tuple[User, Device] | None:
        """Return the device with this API key, and its user; `None` for an empty key."""

    def users(self) -> list[User]:
        """Return all users, in order of creation."""

    def devices(self, user_id: int) -> list[Device]:
        """Return a user's devices, in order of creation."""

    def streams(self, device_id: int) -> list[Stream]:
        """Return a device's streams, in order of creation."""

    def user_streams(self, user_id: int) -> list[tuple[Device, Stream]]:
        """Return the streams of all of a user's devices, in order of creation."""

    def counts(self) -> Mapping[str, int]:
        """Return how many ``"users"``, ``"devices"`` and ``"streams"`` there are."""

    def length(self, series: Series) -> int:
        """Return the number of points, 0 for a series that never had one. Quick, however many there are."""

    def newest(self, series: Series) -> float | None:
        """Return the time of the newest point; `None` if there are no points."""

    def size(self, series: Series) -> int:
        """Return how many bytes the points have as JSON text, however they are stored. Quick, however many there are."""

    def device_size(self, device_id: int) -> int:
        """Return the sum of the sizes of all series of a device."""

    def stream_count(self, device_id: int) -> int:
        """Return how many streams a device has."""

    def index_after(self, series: Series, t: float) -> int:
        """Return the index of the first point later than *t*; the length if there is none."""

    def text(self, series: Series, first: int, last: int, budget: int) -> tuple[bytes, int]:
        """
        Return the points from index *first* to before *last* as JSON text ready for the wire: objects separated by commas.

        It stops after about *budget* bytes, but returns at least one point if there is one. The second value is the index of the
        next point.
        """

    def recall_insert(self, key: InsertKey) -> Remembered | None:
        """Return the insert that was made under a key; `None` if there was none, or it was forgotten."""

    def count_inserts(self, device_id: int) -> int:
        """Return how many inserts of a device are remembered. Quick, however many there are."""


class Writer(Reader, Protocol):
    """
    Reading and changing, in one transaction.

    Methods that create, update or insert raise `Gone` if the user, device or stream does not exist. Those that remove do nothing
    then.
    """

    def create_user(self, fields: Mapping[str, Any]) -> User:
        """Create a user from all its columns except ``id``; raises `Taken`."""

    def create_device(self, user_id: int, fields: Mapping[str, Any]) -> Device:
        """Create a device from all its columns except the ids; raises `Taken`."""

    def create_stream(self, device_id: int, fields: Mapping[str, Any]) -> Stream:
        """Create a stream from all its columns except the ids; raises `Taken`."""

    def update_user(self, user_id: int, fields: Mapping[str, Any]) -> User:
        """Change some columns; raises `Taken`."""

    def update_device(self, device_id: int, fields: Mapping[str, Any]) -> Device:
        """Change some columns; raises `Taken`."""

    def update_stream(self, stream_id: int, fields: Mapping[str, Any]) -> Stream:
        """Change some columns; turning ``downlink`` off removes the downlink's points."""

    def delete_user(self, user_id: int) -> None:
        """Remove a user with all its devices, their streams and their points."""

    def delete_device(self, device_id: int) -> None:
        """Remove a device with its streams and their points."""

    def delete_stream(self, stream_id: int) -> None:
        """
        Remove a stream with its points. Its id is never used again.

        If there are many points, they can no longer be found, but take space until `sweep` has removed them. So it is with the
        points of a deleted user or device.
        """

    def sweep(self, most: int) -> bool:
        """Remove points of deleted streams, at most *most* pieces of some 1000 points; return whether there were any."""

    def clear(self, series: Series) -> None:
        """Remove the points of a series; its length is 0 again."""

    def insert(self, series: Series, points: Sequence[Datapoint], restamp: bool) -> Inserted:
        """
        Append points. They are in order of time, and have ``t``, ``d`` unless it is null, and perhaps ``o``.

        If the first point is older than the newest stored one (for an empty series, older than 0), it has to be restamped: with
        *restamp*, it and each following point that is not later than ``r`` is stored at ``r``, which is the newest stored time,
        plus 0.00001 if that is a whole number. Values stay as they are.

        Raises:
            Older: The first point is older, and *restamp* is off.
        """

    def remember_insert(self, key: InsertKey, what: Remembered) -> None:
        """Remember an insert under its key, which must be new, until it is forgotten."""

    def forget_inserts(self, age: float, most: int) -> int:
        """
        Forget inserts that were remembered for more than *age* seconds, at most *most* of them, the oldest first.

        Only seconds for which the server runs count, so nothing is forgotten too early because a clock was set.

        Returns:
            How many were forgotten.
        """


class Outcome(Protocol[Given]):
    """
    Receives the result of work, as a `Future` does; but whoever waits is woken separately, for many results at once.

    Its methods are called on the thread that does the work.
    """

    def set_running_or_notify_cancel(self) -> bool:
        """Begin the work, unless it is not wanted any more; return whether it begins."""

    def set_result(self, result: Given, /) -> None:
        """Note what the work returned."""

    def set_exception(self, error: BaseException, /) -> None:
        """Note what the work raised."""

    @property
    def wake(self) -> Callable[[], object]:
        """Wakes whoever waits for this. Outcomes with an equal `wake` need only one call of it."""


class Storage(Protocol):
    """Threads that own the database. Its methods may be called from any thread."""

    def recall(self, work: Callable[[Reader], T]) -> T:
        """Run *work* at once on the calling thread, with what is in memory; raises `NotRecent` if that is not enough."""

    def read(self, work: Callable[[Reader], T]) -> Future[T]:
        """Run *work* on a thread that reads."""

    def write(self, work: Callable[[Writer], T]) -> Future[T]:
        """Run *work* on the thread that writes. The future has a result after the commit."""

    def give_read(self, work: Callable[[Reader], T], outcome: Outcome[T]) -> None:
        """Like `read`, but the result goes to *outcome*."""

    def give_write(self, work: Callable[[Writer], T], outcome: Outcome[T]) -> None:
        """Like `write`, but the result goes to *outcome*: first the results of all writes of a commit, then one wake-up."""

    def state(self) -> State:
        """Return how the storage is doing. Does not wait for anything."""

    def close(self) -> None:
        """Finish the work that was handed in, then end the threads. Later work is refused with `ClosedError`."""
