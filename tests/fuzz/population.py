"""What the requests are about: users, devices and streams with keys that are known, and a canary that nothing may touch."""

from __future__ import annotations

import json
import time
from typing import Any

from .catalogue import KEEPER
from .making import Asked, Dialogue, with_key
from .talking import Answer, Wrong, hold

_CANARY = [{"t": n, "d": {"n": n, "text": "ü<&>", "none": None}} for n in range(1, 6)]
_KEEPER_KEY = "key-keeper"


class Population:
    """The tree that requests are about; made again whenever they have destroyed much of it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._beat = 0
        #: The header line of a browser in which fa has logged in.
        self.cookie = b""
        self._ask(b"PUT", "crud/test/user", {"apikey": "key-admin"}, auth=b"Authorization: Basic dGVzdDp0ZXN0")
        self._ask(b"POST", f"crud/{KEEPER}", _user("keeper", streams={"canary": {}, "beat": {}}))
        self._ask(b"PUT", f"crud/{KEEPER}/user", {"apikey": _KEEPER_KEY})
        self._ask(b"POST", f"crud/{KEEPER}/user/canary/data", _CANARY, key=_KEEPER_KEY)
        self.renew()

    def renew(self) -> None:
        """Make everything anew but what nothing may have touched."""
        for name in ("fa", "fb", "Fa", "made1", "made2", "made3", "x", "con", "a" * 29):
            self._ask(b"DELETE", f"crud/{name}", fails=True)
        streams = {
            "number": {"schema": '{"type":"number"}'},
            "text": {"schema": '{"type":"string","pattern":"^[a-z]*$"}'},
            "object": {},
            "down": {"downlink": True},
            "brief": {"ephemeral": True},
        }
        devices = {
            name: {"apikey": f"key-fa-{name}", "role": role, "streams": streams if name == "plain" else {}}
            for name, role in (("plain", ""), ("reader", "reader"), ("writer", "writer"), ("odd", "king"))
        }
        for device in devices.values():
            if device["role"] == "king":  # refused where roles are checked
                device["role"] = "none"
        self._ask(b"POST", "crud/fa", _user("fa", devices=devices, streams={"s": {}}))
        self._ask(b"PUT", "crud/fa/user", {"apikey": "key-fa-user"})
        set_cookie = self._ask(b"GET", "login", key="key-fa-user").headers["set-cookie"]
        self.cookie = b"Cookie: " + set_cookie.partition(";")[0].encode()
        self._ask(b"POST", "crud/fb", _user("fb", public=False, streams={"s": {}}))
        self._ask(b"PUT", "crud/fb/user", {"apikey": "key-fb-user"})

    def check(self) -> None:
        """Raise `Wrong` if the server does not answer the next request right: who asks, what was stored, what is stored now."""
        self._beat += 1
        body = json.dumps([{"t": time.time(), "d": self._beat}]).encode()
        root, key = b"/api/v1/crud/keeper/user", (with_key(_KEEPER_KEY),)
        answers = hold(
            self._address,
            Dialogue(
                (
                    Asked(b"GET", b"/api/v1/?q=this", key),
                    Asked(b"GET", root + b"/canary/data?i1=0", key),
                    Asked(b"PUT", root + b"/beat/data", key, body),
                    Asked(b"GET", root + b"/beat/data?i1=-1", key),
                    Asked(b"GET", root + b"/beat/data?q=length", key),
                )
            ),
        )
        said = [answer.body for answer in answers]
        right = (
            [answer.status for answer in answers] == [200] * 5
            and said[0] == b"keeper/user"
            and json.loads(said[1]) == _CANARY
            and said[2] == b"ok"
            and json.loads(said[3])[0]["d"] == self._beat
            and int(said[4]) == self._beat
        )
        if not right:
            raise Wrong(
                f"the next request is not answered right: {[(answer.status, answer.body[:200]) for answer in answers]}"
            )

    def _ask(
        self,
        verb: bytes,
        path: str,
        body: Any = None,
        *,
        key: str = "key-admin",
        auth: bytes = b"",
        fails: bool = False,
    ) -> Answer:
        asked = Asked(
            verb,
            f"/api/v1/{path}".encode(),
            (auth or with_key(key),),
            b"" if body is None else json.dumps(body).encode(),
        )
        (answer,) = hold(self._address, Dialogue((asked,)))
        if answer.status != 200 and not fails:
            raise Wrong(f"{verb.decode()} {path}: {answer.status} {answer.body!r}")
        return answer


def _user(name: str, **more: Any) -> dict[str, Any]:
    return {"email": f"{name}@example.net", "password": "p", **more}
