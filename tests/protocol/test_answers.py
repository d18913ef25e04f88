"""Records of what became of commands: their stream's name, and values that are records."""

from __future__ import annotations

import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectordb.protocol import answers, json_text, schemas
from connectordb.protocol.answers import Answer, companion
from connectordb.protocol.paths import Path, is_name

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
POINTS = st.lists(st.fixed_dictionaries({"t": st.floats(0, 1e10), "d": st.one_of(st.none(), st.booleans(), TEXT)}))
RECORDS = st.one_of(
    st.builds(Answer, st.integers(0, 2**53), TEXT, st.just(answers.DONE), POINTS.map(tuple)),
    st.builds(Answer, st.integers(0, 2**53), TEXT, st.sampled_from(["refused", "failed", "later"]), reason=TEXT),
)


class CompanionTests(unittest.TestCase):
    """Where answers are recorded."""

    def test_names(self) -> None:
        """It lies beside the stream, of the downlink as of the stream; long names are cut, and stay apart."""
        self.assertEqual(str(companion(Path.parse("mara/room/lamp"))), "mara/room/lamp_answers")
        self.assertEqual(str(companion(Path.parse("mara/room/lamp/downlink"))), "mara/room/lamp_answers")
        longest = "a" * 21
        self.assertEqual(companion(Path.parse(f"mara/room/{longest}")).name, f"{longest}_answers")
        names = {companion(Path.parse(f"mara/room/{'a' * 27}{end}")).name for end in "bcdef"}
        self.assertEqual(len(names), 5)

    @given(st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,28}", fullmatch=True))
    def test_any_name(self, name: str) -> None:
        """Whatever a stream is called, its companion has a name that is allowed."""
        made = companion(Path(("mara", "room", name)))
        self.assertTrue(is_name(made.name) and made.name.endswith("_answers"), made)


class AnswerTests(unittest.TestCase):
    """What a record says."""

    @given(RECORDS)
    def test_round(self, record: Answer) -> None:
        """What was written is read, and fits the companion's schema."""
        value = json_text.loads(json_text.dumps(record.value()))
        self.assertEqual(Answer.read(value), record)
        self.assertIsNone(schemas.first_problem(json_text.dumps(answers.SCHEMA).decode(), [value]))

    def test_reads(self) -> None:
        """Numbers may have become floats, nulls are left out, a long reason is cut."""
        value: dict[str, Any] = {"command": 3.0, "outcome": "done", "answer": [{"t": 5}], "more": 1}
        self.assertEqual(Answer.read(value), Answer(3, answer=({"t": 5, "d": None},)))
        self.assertEqual(len(Answer(1, outcome="refused", reason="x" * 5000).value()["reason"]), 1000)
        self.assertTrue(Answer(1).is_done)
        self.assertFalse(Answer(1, outcome="something new").is_done)

    def test_no_record(self) -> None:
        """Anything else is none."""
        for value in (
            *(None, 1, "done", [], {}, {"command": 1}, {"outcome": "done"}, {"command": 1.5, "outcome": "done"}),
            *({"command": True, "outcome": "done"}, {"command": 1, "outcome": "done", "series": 1}),
            *({"command": 1, "outcome": 2}, {"command": 1, "outcome": "done", "answer": [1]}),
            *({"command": 1, "outcome": "done", "answer": {}}, {"command": 1, "outcome": "no", "reason": None}),
        ):
            with self.subTest(value=value):
                self.assertIsNone(Answer.read(value))
