"""What texts and schemas may be."""

from __future__ import annotations

import json

from connectordb.server.config import Limits
from connectordb.server.refusal import Refusal
from connectordb.server.values import check_texts, compact_schema

from ..support.case import Case


class Values(Case):
    """What is allowed, and what is said of the rest."""

    def refused(self, message: str, check: object, *arguments: object) -> None:
        """Check that *check* refuses."""
        with self.assertRaises(Refusal) as caught:
            check(*arguments)  # type: ignore[operator]
        self.assertIn(message, caught.exception.message)
        self.assertEqual(caught.exception.status, 403)

    def test_icons(self) -> None:
        """Named, base64, or what client documentation recommends."""
        for icon in (
            "",
            "material:home",
            "fa:tree",
            "AAAA",
            "iVBORw0KGgo=",
            "AA\nAA",
            "data:image/png;base64,iVBORw0KGgo=",
        ):
            check_texts({"icon": icon})
        for icon in ("!!!", "AAA", "A===", "not base64!!", "data:text/html;base64,AAAA", "AA+/"):
            self.refused("illegal base64", check_texts, {"icon": icon})
        self.refused("at input byte 4", check_texts, {"icon": "AAAAAA"})
        self.refused("30 characters", check_texts, {"icon": "material:" + "x" * 22})
        self.refused("30 characters", check_texts, {"icon": "fa:" + "é" * 14})  # the original counts bytes
        self.refused("too long", check_texts, {"icon": "A" * 4100})
        self.refused("too long", check_texts, {"description": "x" * 1001})

    def test_schemas(self) -> None:
        """A schema loses its blanks; one that is none is refused."""
        self.assertEqual(compact_schema('{ "type": "number" }'), '{"type":"number"}')
        self.assertEqual(compact_schema(""), "{}")
        self.assertEqual(compact_schema(" { } "), "{}")
        # numbers and texts stay as they are written
        for text in ('{"a":1.50,"b":1e3}', '{"a":"x \\" y","é":"\\u0041 "}'):
            self.assertEqual(compact_schema(text.replace(",", " ,\n")), text)
        for text in ("nonsense", "[]", '{"type":"blah"}', '{"pattern":"("}', '{"$ref":"http://x/y"}'):
            self.refused("not a valid JSONSchema", compact_schema, text)

    def test_long_schemas(self) -> None:
        """A schema has an end: what checking a value costs grows with it."""
        schema = json.dumps({"enum": ["x" * 100]})
        self.assertTrue(compact_schema(schema))
        with self.assertRaisesRegex(Refusal, "50 are possible"):
            compact_schema(schema, limits=Limits(schema_bytes=50))

    def test_long_texts(self) -> None:
        """Texts have an end."""
        for name in ("nickname", "datatype", "apikey"):
            with self.subTest(name):
                self.refused("1000 characters at most", check_texts, {name: "x" * 1001})
                check_texts({name: "x" * 1000})
                check_texts({name: "x" * 1001}, Limits(text_characters=1001))
