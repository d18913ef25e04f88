"""
Connecting to the first of several addresses that answers.

They are tried in order, and the next attempt begins a quarter of a second after the one before, even if that has not failed yet
(RFC 8305). So where IPv6 is announced and leads nowhere, that costs a quarter of a second, and not a whole timeout.
"""

from __future__ import annotations

import errno
import itertools
import os
import selectors
import socket
from collections.abc import Callable, Iterable, Sequence

from ..runtime.clock import SYSTEM, Clock, Deadline
from .names import Address

#: Seconds between the beginnings of two attempts, and between two checks whether the connection is still wanted.
STAGGER = 0.25

#: What a non-blocking connect returns when it has begun; the last one is that of Windows.
_BEGUN = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, 10035}


def dial(
    addresses: Sequence[Address],
    seconds: float,
    options: Iterable[tuple[int, int, int | bytes]] = (),
    stopped: Callable[[], bool] = lambda: False,
    clock: Clock = SYSTEM,
) -> socket.socket:
    """
    Connect to one of *addresses*, and return the socket, which is blocking.

    Args:
        addresses: As `look_up` returns them.
        seconds: How long to wait at most, for all of them together.
        options: Socket options to be set.
        stopped: Tells whether to give up; asked a few times a second.
        clock: The clocks.

    Raises:
        TimeoutError: None answered in time.
        InterruptedError: *stopped* said to give up.
        OSError: None of them accepted the connection; if there are several reasons, the one that tells most.
    """
    deadline = Deadline(seconds, clock)
    waiting = _interleaved(addresses)
    refusals: list[OSError] = []
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                if waiting:
                    _begin(waiting.pop(0), options, selector, refusals)
                connected = _first(selector, min(STAGGER, deadline.left() or 0.0), refusals)
                if connected is not None:
                    connected.setblocking(True)
                    return connected
                if stopped():
                    raise InterruptedError("connecting was given up")
                if deadline.passed():
                    raise TimeoutError(f"no connection within {seconds:.3g} s")
        finally:
            for key in list(selector.get_map().values()):
                selector.unregister(key.fileobj)
                key.data.close()
    raise next(
        (refusal for refusal in refusals if isinstance(refusal, ConnectionRefusedError)),
        refusals[0] if refusals else OSError("the name has no address"),
    )


def _begin(
    address: Address,
    options: Iterable[tuple[int, int, int | bytes]],
    selector: selectors.BaseSelector,
    refusals: list[OSError],
) -> None:
    """Begin to connect to one address."""
    family, kind, protocol, _, where = address
    try:
        candidate = socket.socket(family, kind, protocol)
    except OSError as error:  # this machine does not have such a network
        refusals.append(error)
        return
    try:
        candidate.setblocking(False)
        for option in options:
            candidate.setsockopt(*option)
        said = candidate.connect_ex(where)
        if said not in _BEGUN:
            raise _failure(said)
        selector.register(candidate, selectors.EVENT_WRITE, candidate)
    except OSError as error:
        candidate.close()
        refusals.append(error)
    except BaseException:
        candidate.close()
        raise


def _first(selector: selectors.BaseSelector, seconds: float, refusals: list[OSError]) -> socket.socket | None:
    """Return the first socket that is connected within *seconds*, if any; close those that were refused."""
    if not selector.get_map():
        return None
    for key, _ in selector.select(seconds):
        candidate: socket.socket = key.data
        said = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        selector.unregister(candidate)
        if not said:
            return candidate
        candidate.close()
        refusals.append(_failure(said))
    return None


def _failure(said: int) -> OSError:
    # Windows has a separate table for the errors of sockets
    return OSError(said, getattr(socket, "errorTab", {}).get(said) or os.strerror(said))


def _interleaved(addresses: Sequence[Address]) -> list[Address]:
    """Return the addresses with the two families alternating, so that if one leads nowhere, it delays the other only once."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    return [address for pair in itertools.zip_longest(first, others) for address in pair if address is not None]
