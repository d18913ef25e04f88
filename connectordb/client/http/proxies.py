"""Which proxy leads to a server: as requests knows it, from what was passed and from the environment."""

from __future__ import annotations

from collections.abc import Mapping

from requests.utils import get_environ_proxies, select_proxy


def proxy_for(url: str, given: Mapping[str, str]) -> str | None:
    """
    Return the URL of the proxy to *url*, or ``None`` for the straight way.

    Args:
        url: The server.
        given: Scheme → proxy, or ``scheme://host`` → proxy, or ``"all"``; ``"no_proxy"`` holds hosts that have none. What it does
            not say, the environment does: ``http_proxy``, ``https_proxy``, ``all_proxy``, ``no_proxy``.
    """
    proxies = {**get_environ_proxies(url, no_proxy=given.get("no_proxy")), **given}
    found = select_proxy(url, proxies)
    return found if not found or "://" in found else f"http://{found}"
