"""`Stream`: a series of datapoints, in order of time, and the commands sent to it (its downlink)."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast, overload

from ..datapoints import DatapointArray
from ..exceptions import Conflict, ConnectorDBError, InvalidRequest, LocalProtocolError, PermissionDenied
from ..protocol import json_text, ranges, refusals, rest
from ..protocol.paths import Path
from ..protocol.points import Datapoint, DatapointWarning
from ..protocol.ranges import Range
from .column_stream import ColumnStream
from .fields import Field
from .shown import of_stream
from .terms import notes

if TYPE_CHECKING:
    from ..display import Sheet
    from ..protocol.doubts import Tell
    from ..protocol.encoded import Encoded
    from ..protocol.scripts import ScriptLike
    from ..protocol.times import Time
    from .device import Device
    from .user import User

log = logging.getLogger(__name__)


class Stream(ColumnStream, depth=3):
    """
    A series of datapoints in order of time. Only its own device appends to it.

    If the stream is a downlink, other devices may insert into it, too. What they insert are commands, and goes to a second
    series, the downlink, which is read as ``cdb("user/device/stream/downlink")`` or with ``downlink=True``.
    """

    datatype: Field[str] = Field("", doc="A hint for displays, such as ``rating.stars``.")
    downlink: Field[bool] = Field(False, doc="Whether other devices may send it commands.")
    ephemeral: Field[bool] = Field(False, doc="Whether points are only handed to subscribers, and not stored.")

    # --- metadata -----------------------------------------------------------------------------------------------------

    def create(self, schema: Mapping[str, Any] | str = "{}", **properties: Any) -> None:
        """
        Create the stream.

        Args:
            schema: A JSON Schema that every value must fit, as a dict or as JSON text.
            properties: Further properties: ``nickname``, ``description``, ``icon``, ``datatype``, ``downlink``, ``ephemeral``.

        Raises:
            jsonschema.SchemaError: The schema is not valid; nothing was sent.
            LocalProtocolError: The schema is not JSON, or there is no such property.
            Conflict: The stream exists already.

        Calls: ``POST crud/<path>``.
        """
        if self._path.downlink:
            raise LocalProtocolError(f"{self.path!r} is created together with its stream, and not by itself")
        self._create({"schema": schema, **properties})

    @property
    def sschema(self) -> str | None:
        """The schema as JSON text."""
        return self.data.get("schema")

    @property
    def schema(self) -> Any:
        """The schema as a dict; assign a dict or JSON text to change it."""
        text = self.sschema
        return None if text is None else json.loads(text)

    @schema.setter
    def schema(self, schema: Mapping[str, Any] | str) -> None:
        self.set({"schema": schema})

    @property
    def user(self) -> User:
        """The user to whom it belongs."""
        return self._user()

    @property
    def device(self) -> Device:
        """The device to which it belongs."""
        return cast("Device", self._at(self._path.device))

    def delete(self) -> None:
        """
        Delete the stream with its points; for ``…/downlink``, only the commands in it.

        Calls: ``DELETE crud/<path>``.
        """
        try:
            super().delete()
        except InvalidRequest as refused:
            if not (self._path.downlink and refusals.NOTHING_TO_DELETE in refused.message):
                raise

    # --- writing ------------------------------------------------------------------------------------------------------

    def insert(self, data: Any) -> None:
        """
        Append one value with the present time. If the stream already holds a newer point, that point's time is used.

        Args:
            data: Any JSON value that fits the schema.

        Raises:
            LocalProtocolError: It cannot be JSON.
            InvalidRequest: It does not fit the schema.
            PermissionDenied: The caller is not the stream's own device, and the stream is no downlink.
            OutcomeUnknown: No answer came, and it cannot be found out whether the value is stored.

        Warns:
            DatapointWarning: It has an integer that no 64-bit float can hold exactly; a server stores the nearest one.

        Calls: ``PUT crud/<path>/data``; ``POST`` for values that a server would damage with ``PUT``.
        """
        from ..protocol import doubts  # programs that only read need neither
        from .points.batches import check_size

        data = json_text.checked(data)
        point = {"t": self._session.clock.wall(), "d": data}
        if doubt := doubts.of_value(data):
            doubts.warn(f"the value has {doubt}")
        check_size(len(json_text.dumps(point)))
        self._insert([point], restamp_old=True)

    def append(self, data: Any) -> None:
        """The same as `insert`."""
        self.insert(data)

    def insert_array(self, datapoint_array: Iterable[Datapoint], restamp: bool = False) -> None:
        """
        Append any number of datapoints.

        Args:
            datapoint_array: Dicts with ``t``, seconds since 1970, and ``d``, a JSON value, in order of ``t``. A point without ``t``
                gets the present time. A list is checked as a whole before anything is sent, an iterator while it is sent.
            restamp: Move points that are older than the newest stored one to its time, instead of refusing them.

        Raises:
            LocalProtocolError: Something is no datapoint, or a point is older than the one before it.
            InvalidRequest: A value does not fit the schema.
            Conflict: The stream holds a newer point, and *restamp* is off.
            OutcomeUnknown: No answer came, and it cannot be found out whether some points are stored.

            The message of each says how many points were stored before it, and so does its attribute ``stored``.

        Warns:
            DatapointWarning: Once, for the first such point: its time is after the year 9999, which usually means milliseconds, and
                the stream will take no earlier point after it; or its value has an integer that no 64-bit float can hold exactly,
                and a server stores the nearest one.

        Calls: ``POST crud/<path>/data`` with at most 5000 points at a time; with *restamp* ``PUT``, unless a server would damage
        the values with it.
        """
        from ..protocol.doubts import warn

        self._insert_points(datapoint_array, restamp, warn)

    def _insert_points(self, points: Iterable[Datapoint], restamp: bool, tell: Tell) -> None:
        from .points.batches import batches

        self._insert_batches(batches(points, self._session.clock.wall(), tell), restamp)

    def _insert_batches(self, batches: Iterable[Encoded], restamp: bool) -> None:
        stored = 0
        try:
            for batch in batches:
                self._insert(batch, restamp, stored)
                stored += len(batch)
        except (ConnectorDBError, DatapointWarning) as error:  # a program may turn warnings into errors
            notes.add_stored(error, stored)
            raise

    def _insert(self, points: Sequence[Datapoint], restamp_old: bool, before: int = 0) -> None:
        from ..protocol import restamp

        self._session.check_insert(self._path)
        path = self._path
        try:
            with self._session.as_one_call():
                if not restamp_old:
                    restamp.send_once(self._session.call, path, points)
                    return
                if restamp.are_damaged_by_restamping(points):
                    path = self._where_it_lands()
                restamp.insert(self._session.call, path, points)
        except Conflict as refused:
            if refusals.OLDER in refused.message:
                t = points[0]["t"]
                why = "the stream holds something newer" if t > 0 else "no stream holds times before 1970"
                notes.add(
                    refused, f" (the first of these datapoints has t={t!r}, and {why}; restamp=True moves such times)"
                )
            raise
        except PermissionDenied as refused:
            if self._session.path != path.device and not path.downlink:
                notes.add(
                    refused,
                    f"; only {path.device} itself puts points into its streams: log in with its API key, "
                    f"cdb({str(path.device)!r}).apikey",
                )
            raise
        except InvalidRequest as refused:
            if refusals.STORED_ALL_THE_SAME not in refused.message:
                if refusals.NOT_IN_SCHEMA in refused.message:
                    self._explain(refused, points, before)
                raise
            log.warning("%s: stored, but too large for subscribers to be told", self.path)

    def _explain(self, refused: InvalidRequest, points: Sequence[Datapoint], before: int) -> None:
        """Add to *refused* which value does not fit the schema, and why, as the server's answer does not say it."""
        try:
            schema = self._session.call(rest.read(self._path)).get("schema")
        except ConnectorDBError:
            return
        from ..protocol import schemas  # it loads a validator, which only a refusal needs

        found = schemas.first_problem(schema, [point["d"] for point in points])
        if found is not None:
            number, why = found
            notes.add(
                refused, f" (datapoint {before + number}: {notes.cut(why)}; the schema is {notes.cut(str(schema))})"
            )

    def _where_it_lands(self) -> Path:
        """Return the series that an insert goes to, whose newest time matters: that of another device goes to the downlink."""
        if self._path.downlink or self._session.path == self._path.device:
            return self._path
        flagged = self._session.call(rest.read(self._path)).get("downlink", False)
        return self._path.at_downlink() if flagged else self._path

    # --- reading ------------------------------------------------------------------------------------------------------

    def __call__(
        self,
        t1: Time | None = None,
        t2: Time | None = None,
        limit: int | None = None,
        i1: int | None = None,
        i2: int | None = None,
        downlink: bool = False,
        transform: ScriptLike | None = None,
    ) -> DatapointArray:
        """
        Return the points of a range of times or of indices; without arguments, all points.

        Args:
            t1: Only points after this time (exclusive): seconds since 1970, a ``datetime``, a ``timedelta`` (ago), ISO 8601 text,
                or, with the extra ``times``, words such as ``"2 hours ago"``.
            t2: Only points up to this time (inclusive).
            limit: At most this many points, the earliest ones; 0 for no limit. It does not go with indices.
            i1: The first index; a negative one counts from the end.
            i2: The index after the last one; a negative one counts from the end, and 0 is the end.
            downlink: Read the downlink instead.
            transform: PipeScript that the server runs over the range: text, the result of `connectordb.pipescript.pipe`, or a
                `connectordb.pipescript.Script`.

        Raises:
            InvalidRange: Times and indices are mixed, or a value is of the wrong kind.
            InvalidRequest: The transform is not valid.

        Warns:
            DatapointWarning: *t1* or *t2* is after the year 9999: it is most likely in milliseconds.

        Calls: ``GET crud/<path>/data``.
        """
        asked = Range(self._session.clock.wall(), t1, t2, limit, i1, i2, transform)
        return self._read(self._sequence(downlink), asked.parameters)

    @overload
    def __getitem__(self, getrange: int) -> Datapoint: ...
    @overload
    def __getitem__(self, getrange: slice) -> DatapointArray: ...
    def __getitem__(self, getrange: int | slice) -> Datapoint | DatapointArray:
        """
        Return the point at an index, or the points of a slice, as a list of all points would.

        Raises:
            IndexError: There is no such point.

        Calls: ``GET crud/<path>/data``.
        """
        if isinstance(getrange, slice):
            span = ranges.slice_range(getrange.start, getrange.stop, getrange.step)
            if span is None:
                return DatapointArray()
            i1, i2, step = span
            return self._read(self._path, ranges.read_parameters({"i1": i1, "i2": i2}))[::step]
        i1, i2 = ranges.one_index(ranges.to_index(getrange, "index"))
        found = self._read(self._path, ranges.read_parameters({"i1": i1, "i2": i2}))
        if not found:
            raise IndexError(f"{self.path} has no point at index {getrange}")
        return found[0]

    def __len__(self) -> int:
        """
        Return the number of points.

        Calls: ``GET crud/<path>/data?q=length``.
        """
        return self.length()

    def length(self, downlink: bool = False) -> int:
        """
        Return the number of points in the stream, or in its downlink.

        Calls: ``GET crud/<path>/data?q=length``.
        """
        return self._session.call(rest.length(self._sequence(downlink)))

    def _view_of_downlink(self) -> Stream:
        return cast(Stream, self._at(self._path.at_downlink()))

    def _read(self, path: Path, parameters: Mapping[str, str]) -> DatapointArray:
        try:
            points = self._session.call(rest.points(path, parameters))
        except InvalidRequest as refused:
            # a server refuses a range that ends before it begins; to a caller it is an empty one
            if refused.message != refusals.INVALID_RANGE:
                raise
            points = []
        return DatapointArray(points)

    def _sheet(self) -> Sheet:
        return of_stream(self)

    # --- export -------------------------------------------------------------------------------------------------------

    def export(self, directory: str | os.PathLike[str]) -> None:
        """
        Write the stream with its points into a new folder.

        Raises:
            FileExistsError: The folder exists already.
        """
        from .folders import exports  # rarely used, and slow to load

        exports.export(self, directory)
