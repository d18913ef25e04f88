"""What may happen to one request on its way, as the proxy takes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from .saboteur import Exchange, Fault

#: Seconds after which nobody can still be waiting for an answer.
_FORGOTTEN = 20.0


def lost(exchange: Exchange) -> bool:
    """Nothing of it arrives, and the connection breaks."""
    return False


def stored_and(then: Fault) -> Fault:
    """It arrives, and the server does what it does; what is answered is another matter."""

    def fault(exchange: Exchange) -> bool:
        exchange.answer()
        return then(exchange)

    return fault


def answered(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Fault:
    """It is answered by somebody else, between the client and the server."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()

    def fault(exchange: Exchange) -> bool:
        exchange.reply(head + body)
        return True

    return fault


def request_cut(share: float) -> Fault:
    """The connection breaks when that part of the request's bytes was passed on; at 1 the server has it all."""

    def fault(exchange: Exchange) -> bool:
        upstream = exchange.send(round(share * len(exchange.request)))
        exchange.hang_up()
        exchange.abandon(upstream)
        return False

    return fault


def answer_cut(share: float) -> Fault:
    """The connection breaks when that part of the answer's bytes was passed on."""

    def fault(exchange: Exchange) -> bool:
        answer = exchange.answer()
        exchange.reply(answer[: round(share * len(answer))])
        return False

    return fault


def answer_held(exchange: Exchange) -> bool:
    """The server answers at once; what it says arrives when what is held is let go, as the client may have given up."""
    answer = exchange.answer()
    go = threading.Event()
    exchange.hold(go.set)
    go.wait(_FORGOTTEN)
    exchange.reply(answer)
    return True


def request_held(exchange: Exchange) -> bool:
    """The connection breaks, and the request arrives when what is held is let go."""
    exchange.hold(exchange.answer)
    return False


def request_overtaken(first: bool) -> Fault:
    """The connection breaks, and the request arrives with the next one: just before or just after that."""

    def fault(exchange: Exchange) -> bool:
        def beside(newer: Exchange) -> bool:
            if first:
                exchange.answer()
            answer = newer.answer()
            if not first:
                exchange.answer()
            newer.reply(answer)
            return True

        exchange.then(beside)
        return False

    return fault


def silence(exchange: Exchange) -> bool:
    """Nothing arrives, and nothing is said, until the client has given up; then the request arrives."""
    go = threading.Event()
    exchange.hold(go.set)
    go.wait(_FORGOTTEN)
    exchange.answer()
    return False


def meanwhile(event: Callable[[], object], then: Fault | None = None) -> Fault:
    """Something happens before the request is passed on."""

    def fault(exchange: Exchange) -> bool:
        event()
        return then(exchange) if then is not None else passed(exchange)

    return fault


def afterwards(event: Callable[[], object], then: Fault | None = None) -> Fault:
    """Something happens when the server has answered, before the client hears of it."""

    def fault(exchange: Exchange) -> bool:
        answer = exchange.answer()
        event()
        if then is not None:
            return then(exchange)
        exchange.reply(answer)
        return True

    return fault


def passed(exchange: Exchange) -> bool:
    """Nothing happens to it."""
    answer = exchange.answer()
    exchange.reply(answer)
    return bool(answer)


#: What may happen to any request, and says nothing untrue of it.
ANY: tuple[Fault, ...] = (
    lost,
    stored_and(lost),
    stored_and(answered(500, b"<html>Internal Server Error</html>")),
    answered(502, b"<html>Bad Gateway</html>"),
    answered(200, b"<html>Welcome to our hotel</html>"),
    answered(429, b"", {"Retry-After": "2"}),
    request_cut(0.5),
    request_cut(1.0),
    answer_cut(0.0),
    answer_cut(0.5),
    request_held,
    request_overtaken(False),
)
