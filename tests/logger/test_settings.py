"""Tests of `connectordb.logger.settings`; what a Logger makes of them is in `test_logger`."""

from __future__ import annotations

from connectordb.exceptions import LocalProtocolError
from connectordb.logger.rows.store import Store
from connectordb.logger.settings import Settings
from tests.support.case import Case


class SettingsTests(Case):
    """Settings are in the file as soon as they are assigned."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store(self.folder() / "a.db")
        self.addCleanup(self.store.close)
        self.settings = Settings(self.store)

    def test_kept(self) -> None:
        """Each is there when the file is read again."""
        self.settings.apikey, self.settings.serverurl = "k", "http://x"
        self.settings.syncperiod, self.settings.data = 5.5, [1, {"a": None}]
        again = Settings(self.store)
        self.assertEqual(
            (again.apikey, again.serverurl, again.syncperiod, again.data), ("k", "http://x", 5.5, [1, {"a": None}])
        )

    def test_another_server(self) -> None:
        """Another server is asked for every stream anew; the same one is not."""
        self.settings.serverurl = "http://x"
        self.store.catalogue.put_stream("s", "{}")
        self.settings.serverurl = "http://x"
        self.assertFalse(self.store.catalogue.streams()[0].declared)
        self.settings.serverurl = "http://y"
        self.assertTrue(self.store.catalogue.streams()[0].declared)

    def test_data_is_a_copy(self) -> None:
        """Changing what `data` gave changes nothing until it is assigned."""
        self.settings.data["a"] = 1
        self.assertEqual(self.settings.data, {})

    def test_refused(self) -> None:
        """What makes no sense is refused, and the old value stays."""
        for value in (0, -1, True, "5", float("nan")):
            with self.assertRaises(LocalProtocolError):
                self.settings.syncperiod = value  # type: ignore[assignment]
        self.assertEqual(self.settings.syncperiod, 600)
