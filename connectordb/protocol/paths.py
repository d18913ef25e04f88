"""Paths of users, devices, streams and downlinks: from text to value and back."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..exceptions import LocalProtocolError
from .constants import DOWNLINK, NAME_LIMIT, NOBODY

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]*")
_KINDS = ("nothing", "user", "device", "stream")


def is_name(text: str) -> bool:
    """Tell whether *text* may name a user, a device or a stream."""
    return len(text) <= NAME_LIMIT and _NAME.fullmatch(text) is not None


def check_name(text: object) -> str:
    """
    Return *text* if it may name a user, a device or a stream.

    Raises:
        LocalProtocolError: It may not.
    """
    if not isinstance(text, str) or not is_name(text):
        raise LocalProtocolError(
            f"{text!r} cannot be the name of a user, device or stream: a name is a letter, then letters, digits, "
            f"'_' or '-', {NAME_LIMIT} characters at most"
        )
    return text


class Path(NamedTuple):
    """
    Where an object is: ``user``, ``user/device``, ``user/device/stream``, or that and ``/downlink``.

    Attributes:
        names: One to three names.
        downlink: Whether a stream's downlink is meant; only with three names.
    """

    names: tuple[str, ...]
    downlink: bool = False

    @classmethod
    def parse(cls, text: str) -> Path:
        """
        Return the path that *text* says.

        Raises:
            LocalProtocolError: A part is no name, there are too many parts, or the fourth is not ``downlink``.
        """
        if not isinstance(text, str) or not text:
            raise LocalProtocolError(f"{text!r} is no path: expected 'user', 'user/device' or 'user/device/stream'")
        parts = text.split("/")
        downlink = len(parts) == 4 and parts[3] == DOWNLINK
        if len(parts) > 3 and not downlink:
            raise LocalProtocolError(
                f"{text!r} has {len(parts)} parts: a path has at most three, 'user/device/stream', "
                f"and only '/{DOWNLINK}' may follow them"
            )
        if "" in parts:
            raise LocalProtocolError(
                f"{text!r} is no path, as a name in it is empty: expected 'user', 'user/device' or 'user/device/stream', "
                "without a slash at either end"
            )
        return cls(tuple(check_name(part) for part in parts[:3]), downlink)

    @property
    def depth(self) -> int:
        """1 for a user, 2 for a device, 3 for a stream or its downlink."""
        return len(self.names)

    @property
    def kind(self) -> str:
        """``"user"``, ``"device"`` or ``"stream"``."""
        return _KINDS[self.depth]

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def user(self) -> Path:
        """The user at the top."""
        return Path(self.names[:1])

    @property
    def device(self) -> Path:
        """The device that a stream belongs to; for a device, the device itself."""
        if self.depth < 2:
            raise LocalProtocolError(f"{str(self)!r} is a {self.kind}: it belongs to no device")
        return Path(self.names[:2])

    @property
    def stream(self) -> Path:
        """The stream that a downlink belongs to; for a stream, the stream itself."""
        return Path(self.names) if self.downlink else self

    @property
    def rest(self) -> str:
        """The path below ``/api/v1/crud/``, where a query parameter says that a downlink is meant."""
        return "/".join(self.names)

    def at_downlink(self) -> Path:
        """Return the path of a stream's downlink."""
        if self.depth != 3:
            raise LocalProtocolError(f"{str(self)!r} is a {self.kind}: only a stream has a downlink")
        return Path(self.names, downlink=True)

    def __truediv__(self, name: str) -> Path:
        """Return the path of the child called *name*; the only child of a stream is ``downlink``."""
        if self.depth == 3:
            return Path.parse(f"{self}/{name}")
        return Path((*self.names, check_name(name)))

    def __str__(self) -> str:
        """Return the path as text."""
        return f"{self.rest}/{DOWNLINK}" if self.downlink else self.rest


#: The path that the server gives a caller who is not logged in.
NOBODYS_PATH = Path((NOBODY,))
