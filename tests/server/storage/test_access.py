"""Users, devices, streams."""

from __future__ import annotations

from typing import Any

from connectordb.server.storage import Found, Gone, Series, Taken, Writer

from .trees import StorageCase, device, plant, stream, user


class Rows(StorageCase):
    """Users, devices and streams are kept as they were given, and found."""

    def test_columns(self) -> None:
        """All columns come back, with the kinds that they have."""
        given = user(
            "mara", nickname="Mara", description="é漢😀", icon="fa:x", role="admin", public=False, password="h"
        )
        made = self.write(lambda writer: writer.create_user(given))
        self.assertEqual({**given, "id": made.id}, {name: getattr(made, name) for name in (*given, "id")})
        self.assertIs(made.public, False)
        given = device("lamp", apikey="k", enabled=False, role="user")
        lamp = self.write(lambda writer: writer.create_device(made.id, given))
        self.assertEqual(given, {name: getattr(lamp, name) for name in given})
        self.assertEqual(lamp.user_id, made.id)
        given = stream("light", schema='{"type":"number"}', downlink=True)
        light = self.write(lambda writer: writer.create_stream(lamp.id, given))
        self.assertEqual(given, {name: getattr(light, name) for name in given})
        self.assertEqual(light.device_id, lamp.id)
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "lamp", "light"))), Found(made, lamp, light))
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "lamp"))), Found(made, lamp))
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "lamp", "x"))), Found(made, lamp))
        self.assertEqual(self.read(lambda reader: reader.find(("mara", "x", "light"))), Found(made))
        self.assertEqual(self.read(lambda reader: reader.find(("Mara", "lamp", "light"))), Found())

    def test_wrong_columns(self) -> None:
        """Columns that are missing, unknown or fixed are a mistake of the caller's."""
        self.write(plant)
        for wrong in (
            lambda writer: writer.create_user({"name": "x"}),
            lambda writer: writer.create_user(user("x", colour="red")),
            lambda writer: writer.update_user(1, {"id": 5}),
            lambda writer: writer.update_device(1, {"user_id": 5}),
            lambda writer: writer.update_stream(1, {"colour = 1 --": 5}),
        ):
            with self.assertRaises(ValueError):
                self.write(wrong)

    def test_taken(self) -> None:
        """Names, addresses and keys are unique, each in its scope, and the error says which it was."""

        def fill(writer: Writer) -> None:
            for name in ("a", "b"):
                owner = writer.create_user(user(name))
                writer.create_stream(writer.create_device(owner.id, device("d", apikey=name)).id, stream("s"))
            for name in ("e", "f"):
                writer.create_device(1, device(name))  # any number of devices has no key

        self.write(fill)
        refused: list[tuple[str, Any]] = [
            ("name", lambda writer: writer.create_user(user("a", email="new"))),
            ("email", lambda writer: writer.create_user(user("c", email="b@localhost"))),
            ("name", lambda writer: writer.create_device(1, device("d"))),
            ("apikey", lambda writer: writer.create_device(1, device("new", apikey="b"))),
            ("name", lambda writer: writer.create_stream(1, stream("s"))),
            ("email", lambda writer: writer.update_user(1, {"email": "b@localhost"})),
            ("name", lambda writer: writer.update_user(1, {"name": "b"})),
            ("apikey", lambda writer: writer.update_device(1, {"apikey": "b"})),
        ]
        for field, work in refused:
            with self.subTest(field=field), self.assertRaises(Taken) as caught:
                self.write(work)
            self.assertEqual(caught.exception.field, field)
        self.write(lambda writer: writer.update_user(1, {"name": "a", "email": "a@localhost"}))  # one's own is free
        self.write(lambda writer: writer.update_device(1, {"apikey": "a"}))
        self.write(lambda writer: writer.create_user(user("A")))  # names are compared exactly
        self.assertEqual(self.read(lambda reader: reader.counts()), {"users": 3, "devices": 4, "streams": 2})

    def test_update(self) -> None:
        """Only what is given changes."""
        self.write(plant)
        before = self.read(lambda reader: reader.find(("mara",)).user)
        assert before is not None
        self.assertEqual(self.write(lambda writer: writer.update_user(before.id, {})), before)
        after = self.write(lambda writer: writer.update_user(before.id, {"public": False, "nickname": "M"}))
        self.assertEqual((after.public, after.nickname, after.email), (False, "M", before.email))

    def test_order(self) -> None:
        """Lists come in order of creation, also after changes."""

        def fill(writer: Writer) -> None:
            owner = writer.create_user(user("zoe"))
            writer.create_user(user("abe"))
            devices = [writer.create_device(owner.id, device(name)).id for name in ("z", "a", "m")]
            for name, on in (("q", 1), ("b", 0), ("x", 1)):
                writer.create_stream(devices[on], stream(name))
            writer.update_user(owner.id, {"nickname": "later"})

        self.write(fill)
        self.assertEqual([row.name for row in self.read(lambda reader: reader.users())], ["zoe", "abe"])
        self.assertEqual([row.name for row in self.read(lambda reader: reader.devices(1))], ["z", "a", "m"])
        self.assertEqual([row.name for row in self.read(lambda reader: reader.streams(2))], ["q", "x"])
        found = self.read(lambda reader: reader.user_streams(1))
        self.assertEqual([(one.name, other.name) for one, other in found], [("a", "q"), ("z", "b"), ("a", "x")])

    def test_login(self) -> None:
        """Logging in ignores case, and an exact match comes first."""

        def fill(writer: Writer) -> None:
            for name, email in (("Bob", "first@x"), ("bob", "BOB@x"), ("eve", "bob@x"), ("BOB", "Bob@X")):
                writer.create_user(user(name, email=email))

        self.write(fill)
        for asked, id in (("Bob", 1), ("bob", 2), ("BOB", 4), ("bOB", 1), ("bob@x", 3), ("BOB@x", 2), ("FIRST@X", 1)):
            with self.subTest(asked=asked):
                found = self.read(lambda reader, asked=asked: reader.find_login(asked))
                self.assertEqual(found and found.id, id)
        self.assertIsNone(self.read(lambda reader: reader.find_login("")))

    def test_keys(self) -> None:
        """A key finds its device and that one's user, as long as it is the key; an empty one finds nothing."""
        self.write(plant)
        lamp = self.write(lambda writer: writer.update_device(1, {"apikey": "köy"}))
        found = self.read(lambda reader: reader.find_key("köy"))
        assert found is not None
        self.assertEqual((found[0].name, found[1]), ("mara", lamp))
        self.write(lambda writer: writer.update_device(1, {"apikey": ""}))
        for key in ("köy", "", "\ud800"):
            self.assertIsNone(self.read(lambda reader, key=key: reader.find_key(key)))


class Deleting(StorageCase):
    """What is deleted goes with all that is below, and its id is never used again."""

    def fill(self, writer: Writer) -> dict[str, Series]:
        """Make two users with points everywhere."""
        found = {}
        for name in ("mara", "ben"):
            series = plant(writer, name)
            for one in (series, Series(series.stream_id, downlink=True)):
                writer.insert(one, [{"t": index + 1, "d": index} for index in range(2300)], False)
            found[name] = series
        return found

    def chunks(self) -> set[int]:
        """Return the series that have chunks."""
        return {
            row[0]
            for row in self.read(lambda reader: reader._connection.execute("SELECT series FROM chunks").fetchall())  # type: ignore[attr-defined]
        }

    def test_levels(self) -> None:
        """A user takes devices, streams and points along, a device and a stream theirs."""
        for kind in ("user", "device", "stream"):
            with self.subTest(kind=kind):
                series = self.write(self.fill)
                found = self.read(lambda reader: reader.find(("mara", "lamp", "light")))
                row = getattr(found, kind)
                self.write(lambda writer, kind=kind, id=row.id: getattr(writer, f"delete_{kind}")(id))
                self.assertEqual(self.chunks(), {series["ben"].stream_id * 2, series["ben"].stream_id * 2 + 1})
                left = self.read(lambda reader: reader.find(("mara", "lamp", "light")))
                self.assertEqual(
                    [left.user, left.device, left.stream].count(None), {"user": 3, "device": 2, "stream": 1}[kind]
                )
                self.assertEqual(self.read(lambda reader, one=series["mara"]: reader.length(one)), 0)
                self.write(lambda writer: [writer.delete_user(row.id) for row in writer.users()])
                self.assertEqual(self.chunks(), set())

    def test_ids(self) -> None:
        """A new stream never has the id, and so the points, of one that was deleted."""
        before = self.write(plant)
        self.write(lambda writer: writer.delete_stream(before.stream_id))
        after = self.write(lambda writer: writer.create_stream(1, stream("light")))
        self.assertGreater(after.id, before.stream_id)
        self.write(lambda writer: writer.delete_user(1))
        self.assertGreater(self.write(lambda writer: writer.create_user(user("mara"))).id, 1)

    def test_gone(self) -> None:
        """What is not there cannot be changed or given anything; deleting it does nothing."""
        for work in (
            lambda writer: writer.update_user(9, {"nickname": "x"}),
            lambda writer: writer.update_device(9, {}),
            lambda writer: writer.update_stream(9, {}),
            lambda writer: writer.create_device(9, device("d")),
            lambda writer: writer.create_stream(9, stream("s")),
            lambda writer: writer.insert(Series(9), [{"t": 1}], True),
        ):
            with self.assertRaises(Gone):
                self.write(work)
        self.write(lambda writer: (writer.delete_user(9), writer.delete_device(9), writer.delete_stream(9)))

    def test_downlink_off(self) -> None:
        """Turning ``downlink`` off removes the downlink's points, and nothing else does."""
        series = self.write(plant)
        downlink = Series(series.stream_id, downlink=True)

        def insert(writer: Writer) -> None:
            for one in (series, downlink):
                writer.insert(one, [{"t": 1}], True)

        def lengths() -> list[int]:
            return self.read(lambda reader: [reader.length(series), reader.length(downlink)])

        self.write(insert)
        for flag, expected in ((False, [1, 1]), (True, [1, 1]), (True, [1, 1]), (False, [1, 0])):
            self.write(lambda writer, flag=flag: writer.update_stream(series.stream_id, {"downlink": flag}))
            self.assertEqual(lengths(), expected)
