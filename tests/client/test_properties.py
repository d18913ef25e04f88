"""What may be said of an object, checked before anything is sent."""

from __future__ import annotations

import math
import unittest
from typing import Any

import jsonschema

from connectordb.client.properties import for_create, for_update
from connectordb.exceptions import LocalProtocolError


class Create(unittest.TestCase):
    """The body that makes something, with what goes along."""

    def test_tree(self) -> None:
        """A user with devices and streams; nested devices are as visible as others."""
        made = for_create(
            "user",
            "mara",
            {
                "email": "m@x.org",
                "streams": {"mood": {"schema": {"type": "integer"}}},
                "devices": {
                    "lamp": {"visible": False, "streams": {"light": {"schema": '{"type": "boolean"}'}, "a": None}}
                },
            },
        )
        self.assertEqual(
            made,
            {
                "email": "m@x.org",
                "streams": {"mood": {"schema": '{"type":"integer"}'}},
                "devices": {
                    "lamp": {
                        "enabled": True,
                        "visible": False,
                        "user_editable": True,
                        "streams": {"light": {"schema": '{"type":"boolean"}'}, "a": {}},
                    }
                },
            },
        )

    def test_unknown(self) -> None:
        """A property that no server knows is refused, naming those that it knows."""
        for kind, bad in (
            ("user", {"nick": "x"}),
            ("device", {"devices": {}}),
            ("stream", {"streams": {}}),
            ("user", {"devices": {"lamp": {"streams": {"light": {"typ": 1}}}}}),
            ("user", {"devices": {"lamp": {"password": "x"}}}),
        ):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "has no property .* there are nickname"):
                for_create(kind, "a", bad)

    def test_names(self) -> None:
        """Names of nested objects are looked at too; those of every user's own devices are taken."""
        for bad, said in (
            ({"devices": {"a/b": {}}}, "cannot be the name"),
            ({"streams": {"a b": {}}}, "cannot be the name"),
            ({"devices": {"user": {}}}, "the streams that it is to have as streams="),
            ({"devices": {"meta": {}}}, "from the start"),
            ({"devices": ["a"]}, "no dict of properties"),
            ({"devices": {"a": 5}}, "no dict of properties"),
            ({"name": "other"}, "a name comes from the path"),
        ):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, said):
                for_create("user", "mara", bad)
        self.assertEqual(for_create("stream", "light", {"name": "light"}), {})

    def test_schemas(self) -> None:
        """A bad schema is refused at every level."""
        for bad in ({"type": "nosuch"}, '{"type": 5}', {"$ref": "http://x.org/a"}):
            given: dict[str, Any] = {"devices": {"lamp": {"streams": {"light": {"schema": bad}}}}}
            with self.subTest(bad), self.assertRaises(jsonschema.SchemaError):
                for_create("user", "mara", given)
        with self.assertRaisesRegex(ValueError, "no JSON text"):
            for_create("stream", "light", {"schema": "{"})
        with self.assertRaisesRegex(ValueError, "expected a dict"):
            for_create("stream", "light", {"schema": 5})

    def test_values(self) -> None:
        """A value that JSON cannot carry is refused, by its name."""
        for bad in (b"x", math.nan, object()):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, "nickname of a device: .* JSON"):
                for_create("device", "lamp", {"nickname": bad})


class Update(unittest.TestCase):
    """The body that changes something."""

    def test_fields(self) -> None:
        """What may be changed is passed on; a dict as schema becomes text."""
        self.assertEqual(for_update("stream", {"schema": {}, "downlink": True}), {"schema": "{}", "downlink": True})
        self.assertEqual(for_update("user", {"password": "x", "name": "mara"}), {"password": "x", "name": "mara"})

    def test_unknown(self) -> None:
        """What is created along cannot be changed along."""
        for kind, bad in (("user", "devices"), ("device", "streams"), ("stream", "path"), ("device", "email")):
            with self.subTest(bad), self.assertRaisesRegex(LocalProtocolError, f"{kind} has no property '{bad}'"):
                for_update(kind, {bad: "x"})
        with self.assertRaisesRegex(LocalProtocolError, "no dict"):
            for_update("user", ["nickname"])  # type: ignore[arg-type]
