"""
Random scripts over random points, here and on a server: the same results to the last digit, or a failure there as here.

    python -m tests.pipescript.against [--pairs 10000] [--seed N] [--url URL] [--short]

Without a URL it is the embedded server that is asked; with one, a 0.3 server whose administrator is ``test`` with the password
``test``. That one answers some scripts with an empty body, or never: these are counted, and not compared.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from contextlib import ExitStack
from math import isfinite
from typing import Any
from uuid import uuid4

import requests

from connectordb.exceptions import PipeScriptError
from connectordb.pipescript import Script

from ..support.server import run_server
from .making import SCRIPTS, mutated, points, script

#: Scripts that are run over the same points.
_EACH = 50

#: Seconds that an answer may take.
_PATIENCE = 10


class Device:
    """A device on a server, with streams of random points."""

    def __init__(self, url: str) -> None:
        self._root = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.auth = ("test", "test")
        self._name = f"test/p{uuid4().hex[:12]}"
        made = self._session.post(f"{self._root}/crud/{self._name}", json={}, timeout=_PATIENCE)
        made.raise_for_status()
        self._session.auth = ("", made.json()["apikey"])

    def stream(self, data: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
        """Make a stream of points; return its address, and the points as the server has them."""
        url = f"{self._root}/crud/{self._name}/s{uuid4().hex[:12]}"
        self._session.post(url, json={}, timeout=_PATIENCE).raise_for_status()
        self._session.post(f"{url}/data", json=data, timeout=_PATIENCE).raise_for_status()
        stored = self._session.get(f"{url}/data", params={"i1": 0, "i2": 0}, timeout=_PATIENCE)
        return f"{url}/data", stored.json()

    def transformed(self, url: str, text: str) -> Any:
        """Return what a script makes of a stream there: points, ``"refused"``, ``"failed"``, or `None` for no answer at all."""
        try:
            answer = self._session.get(url, params={"i1": 0, "i2": 0, "transform": text}, timeout=_PATIENCE)
        except requests.Timeout:
            return None
        except requests.ConnectionError:
            return "failed"  # in the middle of the answer
        if answer.status_code != 200:
            return {403: "refused", 500: "failed"}.get(answer.status_code, answer.status_code)
        if not answer.text:
            return None
        return [comparable(point) for point in answer.json()] if answer.text.endswith("]") else "failed"

    def close(self) -> None:
        """Leave nothing behind."""
        self._session.auth = ("test", "test")
        self._session.delete(f"{self._root}/crud/{self._name}", timeout=_PATIENCE)
        self._session.close()


def comparable(point: dict[str, Any]) -> tuple[float, Any]:
    """Return a point so that it can be compared: what is left out, filled in."""
    return point.get("t", 0), point.get("d")


def is_sayable(value: Any) -> bool:
    """Tell whether JSON can say a value."""
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, (list, dict)):
        return all(map(is_sayable, value.values() if isinstance(value, dict) else value))
    return True


def transformed(text: str, data: list[dict[str, Any]]) -> Any:
    """Return what a script makes of points here, as `Device.transformed` does."""
    try:
        run = Script(text)
    except PipeScriptError:
        return "refused"
    try:
        made = [comparable(point) for point in run(data)]
    except PipeScriptError:
        return "failed"
    return made if all(map(is_sayable, (part for point in made for part in point))) else "failed"


def text_of(chance: random.Random) -> str:
    """Return a script, or something that is almost one."""
    text = chance.choice(SCRIPTS) if chance.random() < 0.4 else script(chance)
    return mutated(chance, text) if chance.random() < 0.1 else text


def numbered(data: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """Return points at times that a stream takes."""
    t = 1.5e9
    return [{"t": (t := t + chance.choice((0, 0.25, 1, 3600, 90000))), "d": point["d"]} for point in data]


def main() -> int:
    """Compare; tell whether all was the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="where chance begins")
    parser.add_argument("--url", help="of a 0.3 server")
    parser.add_argument("--short", action="store_true", help="some 10 s")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"seed {options.seed}")
    met: Counter[str] = Counter()
    different: list[str] = []
    with ExitStack() as stack:
        device = Device(options.url or stack.enter_context(run_server()).url)
        stack.callback(device.close)
        number = 1500 if options.short else options.pairs
        for pair in range(number):
            if pair % _EACH == 0:
                url, data = device.stream(numbered(points(chance), chance))
            text = text_of(chance)
            if "rand" in text or not text:
                continue
            here, there = transformed(text, data), device.transformed(url, text)
            if there is None:
                met["not answered"] += 1
            elif here == there:
                met[here if isinstance(here, str) else "results"] += 1
            else:
                different.append(f"{text!r} over {data}\n    here  {here}\n    there {there}")
    for each in different[:50]:
        print(each[:2000])
    print(f"{dict(met)}, {len(different)} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
