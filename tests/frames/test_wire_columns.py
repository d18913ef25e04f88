"""Points on the wire as columns."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connectordb.exceptions import RemoteProtocolError
from connectordb.frames.number_text import Numbers, read_numbers
from connectordb.frames.wire_columns import are_wanted, is_installed, is_packed, pack, unpack

from ..support.case import Case
from ..support.command_line import PATIENCE, TOP
from .cases import POINTS, needs_frames, text


def stream(table: Any, **options: Any) -> bytes:
    """Return a table as Arrow itself writes it."""
    import pyarrow
    from pyarrow import ipc

    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table) if isinstance(table, pyarrow.Table) else writer.write_batch(table)
    return sink.getvalue()


def numbers(times: Any, values: Any, kind: str = "float64", *, nullable: bool = False) -> Any:
    """Return a table of two columns."""
    import pyarrow

    fields = [pyarrow.field("t", "float64", nullable=nullable), pyarrow.field("d", kind, nullable=nullable)]
    schema = pyarrow.schema(fields)
    return pyarrow.table([pyarrow.array(times, "float64"), pyarrow.array(values, kind)], schema=schema)


@needs_frames
class WireColumns(Case):
    """There and back, and what nobody believes."""

    @given(st.lists(POINTS, min_size=1, max_size=3))
    def test_round_trip(self, pages: list[list[dict[str, Any]]]) -> None:
        """What could be packed is what it was, and Arrow itself reads the same."""
        from pyarrow import ipc

        pieces = [piece for page in pages if (piece := read_numbers(text(page))) is not None]
        if not pieces:
            return
        packed = pack(pieces)
        self.assertTrue(is_packed(packed))
        found, table = unpack(packed), ipc.open_stream(packed).read_all()
        times = [t for piece in pieces for t in piece.times.tolist()]
        values = [d for piece in pieces for d in piece.values.tolist()]
        kind = "int64" if all(str(piece.values.dtype) == "int64" for piece in pieces) else "float64"
        self.assertEqual((found.times.tolist(), found.values.tolist(), str(found.values.dtype)), (times, values, kind))
        self.assertEqual(table.to_pydict(), {"t": times, "d": values})

    def test_without_pandas(self) -> None:
        """A server that is asked for columns of a few points does not load pandas, which takes longer than all the rest."""
        program = (
            "import sys\n"
            "from connectordb.frames import number_text, wire_columns\n"
            'assert wire_columns.pack([number_text.read_numbers(b\'[{"t":1,"d":2}]\')])\n'
            "assert 'pandas' not in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True, cwd=TOP, timeout=PATIENCE)

    def test_of_others(self) -> None:
        """A stream with the right columns is taken, whoever made it; one without rows, too."""
        self.assertEqual(unpack(stream(numbers([1, 2], [3, 4.5]))).values.tolist(), [3.0, 4.5])
        self.assertEqual(str(unpack(stream(numbers([1, 2], [3, 4], "int64"))).values.dtype), "int64")
        self.assertEqual(len(unpack(stream(numbers([], []))).times), 0)

    def test_not_believed(self) -> None:
        """Other columns, nulls, what JSON has no number for, compressed rows, and what is cut or damaged are refused."""
        import pyarrow

        good = stream(numbers([1.0, 2.0], [3.0, 4.5]))
        words = pyarrow.table({"t": [1.0], "d": pyarrow.array(["a"]).dictionary_encode()})
        for what, body, why in (
            ("texts", stream(pyarrow.table({"t": [1.0], "d": ["a"]})), "has the columns"),
            ("a dictionary", stream(words), "has the columns"),
            ("one too many", stream(pyarrow.table({"t": [1.0], "d": [1.0], "o": [1.0]})), "has the columns"),
            ("nulls, said", stream(numbers([1], [1], nullable=True)), "has the columns"),
            ("nulls", stream(numbers([1.0], [None])), "a null among"),
            ("NaN", stream(numbers([1.0], [float("nan")])), "JSON has no NaN"),
            ("a time of no end", stream(numbers([float("inf")], [1.0])), "JSON has no NaN"),
            ("compressed", stream(numbers([0.0] * 1000, [0.0] * 1000), compression="lz4"), "that is compressed"),
            ("two schemas", good[:-8] + good, "a schema that"),
            ("nothing", b"\xff\xff\xff\xff\0\0\0\0", "no stream"),
            ("text", b"\xff\xff\xff\xffhello, world", "no stream"),
        ):
            with self.subTest(what), self.assertRaisesRegex(RemoteProtocolError, why):
                unpack(body)
        for length in range(4, len(good) - 8, 3):
            with self.subTest(length), self.assertRaises(RemoteProtocolError):
                self.assertEqual(len(unpack(good[:length]).times), 2)

    @given(st.integers(0, 500), st.integers(1, 255))
    def test_damaged(self, place: int, change: int) -> None:
        """Whatever byte is another one, there are numbers or a refusal."""
        body = bytearray(stream(numbers([1.0, 2.0, 3.0], [3.0, 4.5, 5.0])))
        body[place % len(body)] ^= change
        try:
            found = unpack(bytes(body))
        except RemoteProtocolError:
            return
        self.assertIsInstance(found, Numbers)
        self.assertEqual(len(found.times), len(found.values))

    def test_who_asks(self) -> None:
        """Who decodes JSON quickly asks for none, nor who would have to load Arrow for it."""
        import pyarrow

        self.assertTrue(is_installed())
        for quick, loaded, wanted in ((True, True, False), (False, True, True), (False, False, False)):
            modules = {"pyarrow": pyarrow} if loaded else {}
            with (
                self.subTest((quick, loaded)),
                mock.patch("connectordb.frames.wire_columns.is_quick", return_value=quick),
                mock.patch("connectordb.frames.wire_columns.sys") as sys,
            ):
                sys.modules = modules
                self.assertEqual(are_wanted(), wanted)
