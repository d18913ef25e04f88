"""
What a storage is: the promises that the server above relies on, and that every storage keeps.

Work is handed in as a function. `Storage.read` runs it against a consistent view, beside other reads; `Storage.write` runs
it alone, as one transaction: it happens whole or, if it raises, not at all, and when its future has a result, what it did
survives a power cut. Several writes may share one flush. Functions must not keep what they are given beyond their return.
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
    A name, email address or API key is taken.

    Attributes:
        field: Which: ``"name"``, ``"email"`` or ``"apikey"``.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is taken")
        self.field = field


class Older(ConnectorDBError):
    """The first point is older than the newest one stored."""


class Gone(ConnectorDBError):
    """What is to be changed, or to be given something below it, is not there: deleted since it was looked up, say."""


@dataclass(frozen=True, slots=True)
class User:
    """A user's row; `password` is a hash, never shown to anybody."""

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
    """A device's row; an empty `apikey` lets nobody in."""

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
    """As much of a path as is there: a missing device has no stream, a missing user neither."""

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
    What an insert came to.

    Attributes:
        first: The index of its first point.
        times: The times under which the points were stored.
        text: The points as they were stored: what `Reader.text` returns for them.
    """

    first: int
    times: list[float]
    text: bytes


@dataclass(frozen=True, slots=True)
class InsertKey:
    """
    What a caller calls one of its inserts.

    Attributes:
        device_id: The caller; 0 for nobody.
        series: Where the insert was addressed to.
        text: The key, as it was given.
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
        downlink: Whether it landed in the stream's downlink.
        first: The index of its first point; `None` if none was stored.
    """

    body: bytes
    downlink: bool
    first: int | None


class Reader(Protocol):
    """Reading, from one consistent view."""

    def find(self, names: Sequence[str]) -> Found:
        """Return what lies at a path of one to three names, compared exactly."""

    def find_login(self, name_or_email: str) -> User | None:
        """Return the user with this name or email address, whatever the case; an exact match comes first."""

    def find_key(self, apikey: str) -> tuple[User, Device] | None:
        """Return the device with this API key; none for an empty one."""

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
        """Return the number of points; at once, however many there are. 0 for a series that never had one."""

    def newest(self, series: Series) -> float | None:
        """Return the time of the newest point."""

    def size(self, series: Series) -> int:
        """Return how many bytes the points are as JSON text, however they are stored; at once, however many there are."""

    def device_size(self, device_id: int) -> int:
        """Return the sizes of all series of a device, together."""

    def stream_count(self, device_id: int) -> int:
        """Return how many streams a device has."""

    def index_after(self, series: Series, t: float) -> int:
        """Return the index of the first point later than *t*; the length if there is none."""

    def text(self, series: Series, first: int, last: int, budget: int) -> tuple[bytes, int]:
        """
        Return points from index *first*, before *last*, as JSON text ready for the wire: objects with commas between.

        It stops after about *budget* bytes, having returned one point at least if there is one; the second value is the
        index that it came to.
        """

    def recall_insert(self, key: InsertKey) -> Remembered | None:
        """Return the insert that was made under a key, unless it was forgotten."""

    def count_inserts(self, device_id: int) -> int:
        """Return how many inserts of a device are remembered; at once, however many there are."""


class Writer(Reader, Protocol):
    """
    Reading and changing, alone, in one transaction.

    Whatever creates, updates or inserts raises `Gone` if there is no such user, device or stream; removing what is not there
    does nothing.
    """

    def create_user(self, fields: Mapping[str, Any]) -> User:
        """Make a user of all its columns but ``id``; raises `Taken`."""

    def create_device(self, user_id: int, fields: Mapping[str, Any]) -> Device:
        """Make a device of all its columns but the ids; raises `Taken`."""

    def create_stream(self, device_id: int, fields: Mapping[str, Any]) -> Stream:
        """Make a stream of all its columns but the ids; raises `Taken`."""

    def update_user(self, user_id: int, fields: Mapping[str, Any]) -> User:
        """Change some columns; raises `Taken`."""

    def update_device(self, device_id: int, fields: Mapping[str, Any]) -> Device:
        """Change some columns; raises `Taken`."""

    def update_stream(self, stream_id: int, fields: Mapping[str, Any]) -> Stream:
        """Change some columns; turning ``downlink`` off removes the downlink's points."""

    def delete_user(self, user_id: int) -> None:
        """Remove a user with all that is below."""

    def delete_device(self, device_id: int) -> None:
        """Remove a device with its streams and their points."""

    def delete_stream(self, stream_id: int) -> None:
        """
        Remove a stream with its points. Ids are never used again.

        Of many points, that of a user's or a device's streams too, nothing is to be found any more, but they take space until
        `sweep` has removed them.
        """

    def sweep(self, most: int) -> bool:
        """Remove points of deleted streams, *most* pieces of some 1000 points at most; tell whether there was something to remove."""

    def clear(self, series: Series) -> None:
        """Remove the points of a series; its length is 0 again."""

    def insert(self, series: Series, points: Sequence[Datapoint], restamp: bool) -> Inserted:
        """
        Append points, which are in order of time and have ``t``, ``d`` unless it is null, and perhaps ``o``.

        If the first is older than the newest stored (an empty series counts as having one at 0), with *restamp* every
        leading point with ``t <= r`` is stored at ``r``, the newest time (plus 0.00001 if that is integral); values stay
        as they are.

        Raises:
            Older: It is older, and *restamp* is off.
        """

    def remember_insert(self, key: InsertKey, what: Remembered) -> None:
        """Have `recall_insert` return *what*, until it is forgotten; nothing is remembered under that key yet."""

    def forget_inserts(self, age: float, most: int) -> int:
        """
        Forget inserts that were remembered for more than *age* seconds, the *most* oldest of them.

        Seconds count while the server runs: nothing is forgotten earlier because a clock was set.

        Returns:
            How many were forgotten.
        """


class Outcome(Protocol[Given]):
    """
    Who is told what comes of work; a `Future` says the same, and wakes who waits at once.

    Its methods are called on the thread that does the work.
    """

    def set_running_or_notify_cancel(self) -> bool:
        """Tell whether the work is still wanted; from then on it is done."""

    def set_result(self, result: Given, /) -> None:
        """Take note of what the work returned."""

    def set_exception(self, error: BaseException, /) -> None:
        """Take note of what the work raised."""

    @property
    def wake(self) -> Callable[[], object]:
        """What has whoever waits look at this, and at all others that have the same."""


class Storage(Protocol):
    """Threads that own the database; safe to be called from any thread."""

    def recall(self, work: Callable[[Reader], T]) -> T:
        """Run *work* at once on the calling thread, without asking the disk for anything; raises `NotRecent` if it would have to."""

    def read(self, work: Callable[[Reader], T]) -> Future[T]:
        """Run *work* on a reader's thread."""

    def write(self, work: Callable[[Writer], T]) -> Future[T]:
        """Run *work* on the writer's thread; the future is done after the commit."""

    def give_read(self, work: Callable[[Reader], T], outcome: Outcome[T]) -> None:
        """Do the same as `read`, with somebody else told what comes of it."""

    def give_write(self, work: Callable[[Writer], T], outcome: Outcome[T]) -> None:
        """Do the same as `write`, with somebody else told what comes of it; of many at once."""

    def state(self) -> State:
        """Return how it is; at once, from any thread."""

    def close(self) -> None:
        """Finish what was handed in, then end the threads; later work is refused with `ClosedError`."""
