"""Places on the earth."""

from __future__ import annotations

from math import atan2, cos, isfinite, nan, radians, sin, sqrt
from typing import Any

from ...exceptions import PipeScriptError
from ..ahead import Point
from ..registry import Argument, Context, MakeStep, Takes, transform
from ..values import number_or_none, to_number

#: Metres.
_RADIUS = 6371000.0


@transform(
    "distance",
    "How far it is to a place",
    Argument("The place's latitude, in degrees", Takes.CONSTANT),
    Argument("Its longitude", Takes.CONSTANT),
    stateless=True,
    oschema='{"type": "boolean"}',
)
def distance(context: Context, latitude: Any, longitude: Any) -> MakeStep:
    """Metres along a great circle from ``latitude`` and ``longitude`` of the data, an object, to a place."""
    phi, lam = radians(to_number(latitude)), radians(to_number(longitude))

    def step(point: Point) -> float:
        here, there = _degrees(point, "latitude"), _degrees(point, "longitude")
        if not all(map(isfinite, (here, there, phi, lam))):
            return nan
        a = sin((phi - here) / 2) ** 2 + cos(here) * cos(phi) * sin((lam - there) / 2) ** 2
        return _RADIUS * 2 * atan2(sqrt(a), sqrt(max(1 - a, 0.0)))

    return lambda run: step


def _degrees(point: Point, name: str) -> float:
    data = point["d"]
    if not isinstance(data, dict) or name not in data:
        raise PipeScriptError(f"Could not find '{name}' in the data: it must be an object with latitude and longitude")
    number = number_or_none(data[name])
    if number is None:
        raise PipeScriptError(f"Could not convert {name} to float")
    return radians(number)
