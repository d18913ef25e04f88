"""
Checks the properties with which a user, a device or a stream is created or changed, before anything is sent; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exceptions import LocalProtocolError
from ..protocol import json_text
from ..protocol.paths import check_name
from ..protocol.rest import Fields

_ALL = ("nickname", "description", "icon")

#: The properties that a server knows, by kind of object.
KNOWN: Mapping[str, tuple[str, ...]] = {
    "user": (*_ALL, "email", "role", "public", "password"),
    "device": (*_ALL, "apikey", "enabled", "public", "role", "visible", "user_editable"),
    "stream": (*_ALL, "schema", "datatype", "ephemeral", "downlink"),
}

#: What may be created together with an object, by the kind of that object: property → kind of what it creates.
_NESTED: Mapping[str, Mapping[str, str]] = {
    "user": {"devices": "device", "streams": "stream"},
    "device": {"streams": "stream"},
    "stream": {},
}

#: A server makes a device that is created along with its user hidden and disabled, unlike one that is created by itself.
_DEVICE_DEFAULTS = {"enabled": True, "visible": True, "user_editable": True}


def for_update(kind: str, given: Mapping[str, Any]) -> Fields:
    """
    Return the body of the request that changes a user, device or stream.

    Raises:
        LocalProtocolError: There is no such property, or a value cannot be JSON.
        jsonschema.SchemaError: The schema is not valid.
    """
    _check_mapping(f"the properties of a {kind}", given)
    return {name: _value(kind, name, value, (*KNOWN[kind], "name")) for name, value in given.items()}


def for_create(kind: str, own_name: str, given: Mapping[str, Any]) -> Fields:
    """
    Return the body of the request that creates a user, device or stream, and what is created together with it.

    Raises:
        LocalProtocolError: There is no such property, a name is not valid, or a value cannot be JSON.
        jsonschema.SchemaError: A schema is not valid.
    """
    _check_mapping(f"the {kind} {own_name!r}", given)
    nested = _NESTED[kind]
    fields: Fields = {}
    for name, value in given.items():
        if name in nested:
            fields[name] = _children(nested[name], f"{name} of the {kind} {own_name!r}", value)
        elif name != "name":
            fields[name] = _value(kind, name, value, (*KNOWN[kind], *nested))
        elif value != own_name:
            raise LocalProtocolError(f"name={value!r}: the {kind} is called {own_name!r}; a name comes from the path")
    return fields


def _children(kind: str, what: str, given: Any) -> dict[str, Fields]:
    _check_mapping(what, given)
    children = {}
    for name, properties in given.items():
        check_name(name)
        if kind == "device" and name in ("user", "meta"):
            raise LocalProtocolError(
                f"every user has a device {name!r} from the start"
                + (": pass the streams that it is to have as streams=" if name == "user" else "")
            )
        # None becomes {}, as a server fails at a null here
        made = for_create(kind, name, {} if properties is None else properties)
        children[name] = {**_DEVICE_DEFAULTS, **made} if kind == "device" else made
    return children


def _check_mapping(what: str, given: Any) -> None:
    if not isinstance(given, Mapping):
        raise LocalProtocolError(f"{what}: {given!r} is no dict of properties")


def _value(kind: str, name: str, value: Any, known: tuple[str, ...]) -> Any:
    if name not in known:
        raise LocalProtocolError(f"a {kind} has no property {name!r}; there are {', '.join(known)}")
    if name == "schema":
        from ..protocol import schemas  # it loads a validator, which only a schema needs

        return schemas.schema(value).text
    try:
        return json_text.checked(value)
    except LocalProtocolError as error:
        raise LocalProtocolError(f"{name} of a {kind}: {error}") from error
