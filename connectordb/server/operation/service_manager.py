"""Telling the service manager how the server is doing: systemd's notifications, sent if ``NOTIFY_SOCKET`` is set."""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)


def notify(state: str) -> None:
    """
    Send a state, such as ``READY=1`` or ``STOPPING=1``. Does nothing if no service manager has asked for it.

    The protocol is that of ``sd_notify(3)``: one datagram to a Unix socket, which may have an abstract name.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(1.0)  # a manager that does not read must not hold up the server
            manager.sendto(state.encode(), address)
    except OSError as error:
        log.warning("telling the service manager %s: %s", state, error)
