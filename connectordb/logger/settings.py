"""The properties of a Logger that are kept in its file."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, cast

from ..exceptions import LocalProtocolError
from ..protocol import json_text
from ..protocol.constants import CONNECTORDB_URL
from .rows import Store

_DEFAULTS: Mapping[str, Any] = {
    "apikey": "",
    "serverurl": CONNECTORDB_URL,
    "syncperiod": 600.0,
    "lastsynctime": 0.0,
    "data": {},
}


class Settings:
    """The properties of a Logger that outlive the process: one of its parent classes."""

    def __init__(self, store: Store) -> None:
        self.__store = store
        self._settings: dict[str, Any] = {**_DEFAULTS, **store.catalogue.settings()}
        self._last_sync = 0.0
        # held from reading or writing the file until memory says the same
        self.__lock = threading.RLock()

    def _begin_settings_anew(self) -> None:
        """In a child made by fork: whoever had the lock is in the parent."""
        self.__lock = threading.RLock()

    def _check_address(self, url: str) -> None:
        """Raise unless *url* can be the address of a server; the Logger overrides this."""

    def _on_server_changed(self) -> None:
        """Called when `serverurl` or `apikey` was assigned; the Logger overrides this."""

    def _on_period_changed(self) -> None:
        """Called when `syncperiod` was assigned; the Logger overrides this."""

    @property
    def _is_created(self) -> bool:
        """Whether the file has been set up (*on_create* of the Logger)."""
        return bool(self._settings.get("created"))

    def _set_created(self) -> None:
        self._save(created=True)

    def _set_lastsynctime(self, now: float, keep: bool) -> None:
        self._last_sync = now
        if keep:
            self._save(lastsynctime=now)

    def _save(self, **settings: Any) -> None:
        with self.__lock:
            self.__store.catalogue.save(**settings)
            # one atomic step, as other threads read settings without the lock
            self._settings.update(settings)

    def _look_for_server(self) -> None:
        """Use the server and the key that the file has now: another process may have changed them."""
        with self.__lock:
            saved = self.__store.catalogue.settings()
            changed = {
                name: saved[name]
                for name in ("apikey", "serverurl")
                if saved.get(name, self._settings[name]) != self._settings[name]
            }
            self._settings.update(changed)
        if changed:
            self._on_server_changed()

    @property
    def apikey(self) -> str:
        """The API key of the device."""
        return cast(str, self._settings["apikey"])

    @apikey.setter
    def apikey(self, key: str) -> None:
        if not isinstance(key, str):
            raise LocalProtocolError(f"apikey={key!r}: expected text")
        self._save(apikey=key.strip())
        self._on_server_changed()

    def keep_apikey(self, key: str) -> None:
        """Save a new key that the connection to the server already uses."""
        self._save(apikey=key)

    @property
    def serverurl(self) -> str:
        """The address of the server."""
        return cast(str, self._settings["serverurl"])

    @serverurl.setter
    def serverurl(self, url: str) -> None:
        if not isinstance(url, str) or not url:
            raise LocalProtocolError(f"serverurl={url!r}: expected an address such as {CONNECTORDB_URL!r}")
        self._check_address(url)
        if url != self.serverurl:
            # before the address is saved: if we are killed in between, the old server is asked once more, which does no harm
            self.__store.catalogue.declare_all()
            self._save(serverurl=url)
        self._on_server_changed()

    @property
    def syncperiod(self) -> float:
        """Seconds between two syncs in the background; a new period is counted from its assignment."""
        return cast(float, self._settings["syncperiod"])

    @syncperiod.setter
    def syncperiod(self, seconds: float) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < float("inf"):
            raise LocalProtocolError(f"syncperiod={seconds!r}: expected seconds, more than 0")
        self._save(syncperiod=seconds)
        self._on_period_changed()

    @property
    def lastsynctime(self) -> float:
        """When the last successful sync ended, in seconds since 1970; 0 if there has been none."""
        return max(self._last_sync, cast(float, self._settings["lastsynctime"]))

    @property
    def data(self) -> Any:
        """Any JSON value, for the program's own use. This is a copy: assign to change it."""
        return json_text.loads(json_text.dumps(self._settings["data"]))

    @data.setter
    def data(self, value: Any) -> None:
        self._save(data=json_text.checked(value))
