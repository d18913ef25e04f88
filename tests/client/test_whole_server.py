"""A server as a whole: what it holds by path, its users, how much there is, and what it can do."""

from __future__ import annotations

from connectordb import Device, PermissionDenied, Stream, User
from tests.support.target import TargetCase


class Whole(TargetCase):
    """What is asked of no user, device or stream."""

    def test_by_path(self) -> None:
        """The path says what it is."""
        cdb = self.person()
        for path, kind in (("a", User), ("a/b", Device), ("a/b/c", Stream), ("a/b/c/downlink", Stream)):
            self.assertIs(type(cdb(path)), kind)
            self.assertEqual(cdb(path).path, path)

    def test_users(self) -> None:
        """An administrator lists users, each with its data; others may not."""
        users = {user.name: user for user in self.admin().users()}
        self.assertEqual(users[self.user_name].data["email"], f"{self.user_name}@example.org")
        with self.assertRaises(PermissionDenied):
            self.person().users()

    def test_counts(self) -> None:
        """An administrator counts everything; others may not."""
        admin = self.admin()
        users, devices, streams = admin.count_users(), admin.count_devices(), admin.count_streams()
        self.assertGreaterEqual(users, 2)
        self.assertGreaterEqual(devices, users * 2)
        self.assertGreaterEqual(streams, 1)
        self.user()
        # others may use the server meanwhile
        self.assertGreaterEqual(admin.count_users(), users)
        for count in (self.person().count_users, self.person().count_devices, self.person().count_streams):
            with self.assertRaises(PermissionDenied):
                count()

    def test_info(self) -> None:
        """The server tells its version, transforms and interpolators."""
        info = self.person().info()
        self.assertEqual(set(info), {"version", "transforms", "interpolators"})
        self.assertTrue(info["version"].startswith("0.3"))
        self.assertIsInstance(info["transforms"], dict)
        self.assertIsInstance(info["interpolators"], dict)
