"""The object that programs log through, with the names of 0.3.5. The file is in `rows` and `file`, the syncing in `sync`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any, Literal

from ..client import ConnectorDB
from ..exceptions import ConnectorDBError, LocalProtocolError, LoggerError, StreamNotAdded
from ..protocol import json_text, rest, schemas
from ..protocol.doubts import Once, of_time, warn
from ..protocol.paths import check_name
from ..protocol.points import Datapoint
from ..protocol.times import Time
from ..runtime.clock import SYSTEM, Clock
from .accounting import Accounting, OnReject
from .clocks import Eras
from .file import FORKS, Turn, remove_unused
from .limits import Limits, OnFull
from .receipt import Receipt
from .records import Columns, StreamRow
from .rows import Durability, Status, Store
from .settings import Settings
from .sync import Links, OnSchema, Stream, Syncing, bring_to_server, check_address, device, is_away, take_over

log = logging.getLogger(__name__)

#: What becomes of a point that is older than what its stream holds.
OnConflict = Literal["reject", "restamp"]


class Logger(Settings, Accounting):
    """
    Logs datapoints into a file, and syncs them to a ConnectorDB server whenever it can be reached.

    Once `insert` has returned, the point is on disk, and it arrives at the server once.

    Args:
        database_file_path: The cache file; created if it does not exist. A file of the 0.3.5 client is upgraded in place.
        on_create: Called once with the Logger when the file is new: the place to set the key and add streams. If it returns
            ``False`` or raises, the new file is removed.
        apikey: Replaces the key in the file.
        onsync: Called without arguments after each sync that succeeded.
        onsyncfail: Called with the error after each sync that failed; if it returns true, the error is raised.
        syncraise: Whether `sync` raises when it fails; used only if there is no *onsyncfail*.
        on_conflict: What becomes of a point that is older than what its stream holds, which no server stores:
            ``"reject"`` sets it aside (see `rejected`); ``"restamp"`` gives it the earliest time that can be stored.
        on_full: What gives way when the file holds as much as it may. ``"raise"``: the caller gets `LoggerFull`.
            ``"drop_oldest"``: the oldest points are dropped. ``"drop_newest"``: the new point is. ``"thin"``: points are dropped
            from all over the fullest stream, so that the rest still covers its time evenly.
        max_points: How many points may wait or be set aside.
        max_bytes: How large the file may become.
        max_age: Seconds after which an unsent point is given up.
        durability: What a power cut may take. ``"full"``: nothing. ``"batched"``: what was inserted in the last second.
            ``"normal"``: what was inserted since SQLite last flushed of its own accord. Killing the process never loses anything.
        onreject: Called with points just after they were set aside, as `rejected` shows them, on the thread that syncs or
            inserts. What it raises is logged.

    Raises:
        LocalProtocolError: *on_conflict*, *on_full* or *durability* is none of the above, or a bound makes no sense.
        StorageError: The file is a directory, unreadable, not SQLite, not a Logger's, or of a newer version.
    """

    def __init__(
        self,
        database_file_path: str | os.PathLike[str],
        on_create: Callable[[Logger], object] | None = None,
        apikey: str | None = None,
        onsync: Callable[[], object] | None = None,
        onsyncfail: Callable[[Exception], object] | None = None,
        syncraise: bool = False,
        *,
        on_conflict: OnConflict = "reject",
        on_full: OnFull = "raise",
        max_points: int | None = None,
        max_bytes: int | None = None,
        max_age: float | None = None,
        durability: Durability = "full",
        onreject: OnReject | None = None,
    ) -> None:
        if on_conflict not in ("reject", "restamp"):
            raise LocalProtocolError(f"on_conflict={on_conflict!r}: expected 'reject' or 'restamp'")
        limits = Limits(max_points, max_bytes, max_age, on_full)
        self._restamp = on_conflict == "restamp"
        self.onsync = onsync
        self.onsyncfail = onsyncfail
        self.syncraise = syncraise
        self._file = FilePath(os.path.abspath(database_file_path))
        is_new = not self._file.exists()
        self._clock: Clock = SYSTEM
        self._store = Store(self._file, durability, limits, self._clock)
        Settings.__init__(self, self._store)
        Accounting.__init__(self, self._store, self._stream, onreject, lambda: self._turn, self._clock)
        self._eras = Eras(self._store.catalogue.era, self._clock)
        self._streams: dict[str, Stream] = {}
        self._turn = Turn(self._file)
        self._links = Links(self, self._store.catalogue.time_known, self._clock)
        self._syncing = Syncing(self, self._store, self._links, self._turn, self._clock, self._restamp)
        FORKS.call_in_child(self._begin_anew)
        try:
            self._reload_streams()
            if apikey is not None:
                self.apikey = apikey
            if not self._is_created:
                if on_create is not None and on_create(self) is False:
                    raise LoggerError(f"on_create returned False, so {os.fspath(self._file)!r} was not made")
                # a mended file that lost its settings waits for a program that passes on_create to restore them
                if on_create is not None or is_new:
                    self._set_created()
        except BaseException:
            self.close()
            if is_new:
                remove_unused(self._file)
            raise

    # --- streams --------------------------------------------------------------------------------------------------------

    def addStream(
        self,
        streamname: str,
        schema: str | Mapping[str, Any] | None = None,
        *,
        on_schema: OnSchema = "warn",
        **properties: Any,
    ) -> None:
        """
        Add a stream of the device whose key the Logger has.

        If the server can be reached, the stream is created there, unless it exists; then its schema is taken over. Otherwise this
        happens at the first sync.

        Args:
            streamname: Its name.
            schema: JSON Schema, as a dict or text; needed unless the stream exists.
            on_schema: What to do if the stream exists with another schema: ``"warn"`` in the log, or ``"error"``. If the server
                is away, this is found out, and reported, at the first sync.
            properties: What the stream is created with: ``nickname``, ``description``, ``datatype``, ``downlink`` …

        Raises:
            ConnectionFailed, ServerError: The server is away, or a proxy answers in its place, and no schema was given.
            LoggerError: The stream does not exist and no schema was given; or it has another schema (*on_schema*); or
                the Logger has no key.
            jsonschema.SchemaError: *schema* is not a valid schema.
        """
        check_name(streamname)
        if on_schema not in ("warn", "error"):
            raise LocalProtocolError(f"on_schema={on_schema!r}: expected 'warn' or 'error'")
        properties = json_text.checked(properties)
        text = None if schema is None else schemas.schema(schema).text
        strict = on_schema == "error"
        try:
            server = self._links.here()
            path = device(server) / streamname
            if text is None:
                take_over(self._store, server, streamname, path, properties)
            else:
                declared = StreamRow(0, streamname, text, properties, declared=True, strict=strict)
                bring_to_server(self._store, server, declared, path)
        except ConnectorDBError as error:
            if text is None or not is_away(error):
                raise
            log.warning("%s will be created at the first sync, as the server is away: %s", streamname, error)
            self._store.catalogue.put_stream(streamname, text, properties, declared=True, strict=strict)
        self._reload_streams()

    def addStream_force(self, streamname: str, schema: str | Mapping[str, Any] | None = None) -> None:
        """Add a stream without asking the server, which must have it by the first sync; without *schema* it takes any value."""
        check_name(streamname)
        self._store.catalogue.put_stream(streamname, schemas.schema(schema).text)
        self._reload_streams()

    def _reload_streams(self) -> None:
        # a new dict, as inserting threads read the old one without a lock
        self._streams = {row.name: Stream(row) for row in self._store.catalogue.streams()}

    def _stream(self, name: str) -> Stream:
        stream = self._streams.get(name)
        if stream is None:
            self._reload_streams()  # another process may have added it
            stream = self._streams.get(name)
        if stream is None:
            known = ", ".join(sorted(self._streams)) or "none yet"
            raise StreamNotAdded(f"the Logger has no stream {name!r} (it has: {known}); call addStream first")
        return stream

    @property
    def streams(self) -> dict[str, dict[str, Any]]:
        """The streams that were added: name → schema. The dict is a copy."""
        return {name: stream.document for name, stream in self._streams.items()}

    def __contains__(self, streamname: object) -> bool:
        """Tell whether a stream with that name was added."""
        return streamname in self._streams

    # --- points ---------------------------------------------------------------------------------------------------------

    def insert(self, streamname: str, value: Any, t: Time | None = None) -> Receipt:
        """
        Log *value*. When this returns it is in the file, and as safe from a power cut as the Logger's durability says.

        Args:
            streamname: The stream.
            value: Anything that the stream's schema allows.
            t: The time of the point: seconds since 1970, a ``datetime``, a ``timedelta`` (that long ago), ISO 8601 text or words. It
                is treated as in `insert_many`. Default: now.

        Returns:
            A receipt that tells what became of the point, and can wait for it.

        Raises:
            StreamNotAdded: The stream was not added; call `addStream` first.
            LocalProtocolError: JSON cannot carry the value, or *t* is not a time after 1970.
            jsonschema.ValidationError: The stream's schema refuses the value.
            StorageFull: The disk is full; what was logged before is safe.
            LoggerFull: The file holds as much as it may, and *on_full* is ``"raise"``.

        Warns:
            DatapointWarning: *t* is after the year 9999, so it is probably in milliseconds, and the stream will take no earlier point
                after it; or the value has an integer that no 64-bit float equals, and a server keeps the nearest one.
        """
        now = self._clock.wall()
        # right after the wall clock was read, so that both clocks show the same moment
        era = self._eras.at(now) if t is None else None
        stream = self._streams.get(streamname) or self._stream(streamname)
        text, doubt = stream.text(value)
        seconds = None if t is None else stream.seconds(t, now)
        if seconds is not None:
            doubt = of_time(seconds) or doubt
        if doubt:
            warn(f"a point for {streamname!r} has {doubt}")
        if seconds is None:
            id, at = self._store.points.append(stream.id, now, text, era)
        else:
            id, at, is_aside = self._store.points.append_at(stream.id, seconds, text, now, self._restamp)
            if is_aside:
                self._store.aside.tell([id])
        return Receipt(self._store.tracing, id, at)

    def insert_many(self, data_dict: Mapping[str, Iterable[Datapoint]]) -> None:
        """
        Log points that have their own times: all of them or none.

        A point that is earlier than points still waiting is sorted in among them. One that is earlier than what was already sent
        can no longer be stored: it is set aside in the file, or given a later time (*on_conflict*).

        Args:
            data_dict: Stream name → datapoints ``{"t": seconds since 1970, "d": value}``.

        Raises:
            StreamNotAdded, LocalProtocolError, jsonschema.ValidationError, StorageFull, LoggerFull: As `insert`.

        Warns:
            DatapointWarning: As `insert`, for the first such point.
        """
        points: dict[int, Columns] = {}
        tell = Once(warn)
        if not isinstance(data_dict, Mapping):
            raise LocalProtocolError(f"{data_dict!r:.80} is no dict of streams: expected {{'name': [datapoint, …], …}}")
        for name, given in data_dict.items():
            stream = self._stream(name)
            if not isinstance(given, Iterable):
                raise LocalProtocolError(
                    f"{given!r:.80} for {name!r} is no list of datapoints: expected [{{'t': …, 'd': …}}, …]"
                )
            points[stream.id] = stream.points(given, tell)
        if any(points.values()):
            self._store.aside.tell(self._store.points.append_many(points, self._clock.wall(), self._restamp))

    def status(self) -> Status:
        """
        Return what became of all points, stream by stream, and how syncing goes, as of one moment; it prints as a table.

        Always ``accepted == confirmed + waiting + aside + dropped + lost``.
        """
        return self._store.status(self._clock.wall(), self._syncing.activity())

    # --- syncing --------------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """
        Send the points that wait now.

        A failure is logged, and the points keep waiting. It is raised if `onsyncfail` is set and returns true, or if
        `onsyncfail` is not set and `syncraise` is.
        """
        self._store.flush()  # if they do not reach the server, they are at least safe here
        self._syncing.now()

    def flush(self, timeout: float = 60.0) -> bool:
        """
        Bring all points that wait now to the server, and tell whether that succeeded.

        Failed syncs are tried again, with growing pauses; `onsyncfail` hears of each, and none is raised.

        Args:
            timeout: Seconds after which it returns in any case.

        Returns:
            Whether each of those points has been confirmed, set aside or dropped. The others keep waiting.
        """
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
            raise LocalProtocolError(f"timeout={timeout!r}: expected seconds, 0 or more")
        self._store.flush()
        return self._syncing.flush(timeout)

    def start(self) -> None:
        """Sync now and then every `syncperiod` seconds, on a background thread; returns at once."""
        self._syncing.start()

    def stop(self) -> None:
        """Stop syncing in the background; a sync that is under way ends after its current request."""
        self._syncing.stop()

    # --- the server -----------------------------------------------------------------------------------------------------

    @property
    def connectordb(self) -> ConnectorDB:
        """A connection to the server with the Logger's key; made when first used, closed by `close`."""
        return self._links.connection

    def _on_server_changed(self) -> None:
        self._links.forget()
        self._syncing.address_changed()

    def _check_address(self, url: str) -> None:
        check_address(url)

    def _on_period_changed(self) -> None:
        self._syncing.period_changed()

    @property
    def name(self) -> str:
        """The path of the device whose key the Logger has."""
        return self.ping()

    def ping(self) -> str:
        """Ask the server who we are, and return the path of the device."""
        return str(self._links.here().call(rest.whoami()))

    # --- the end --------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop syncing and close the file and the connection, without a last sync; may be called twice."""
        if not self._store.is_ours:
            return  # we are a child that was forked while the file was busy: it belongs to the parent
        self._syncing.close()
        self._links.close()
        self._store.close()

    def _look_at_clock(self) -> None:
        self._eras.at(self._clock.wall())

    def _begin_anew(self) -> None:
        """Give a forked child new locks and connections; no thread syncs here until `start`."""
        self._begin_settings_anew()
        self._turn.leave()
        self._turn, patience = Turn(self._file), self._syncing.patience
        self._links = Links(self, self._store.catalogue.time_known, self._clock)
        self._syncing = Syncing(self, self._store, self._links, self._turn, self._clock, self._restamp)
        self._syncing.patience = patience

    def __enter__(self) -> Logger:
        """Return the Logger; it is closed at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Say which file."""
        return f"<Logger {os.fspath(self._file)!r}>"
