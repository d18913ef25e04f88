"""
Sessions in pickles: what a session was made of is pickled; its sockets, threads and subscriptions are not.

All objects that were pickled with one session share one session in the process that unpickles them, so that a thousand streams
handed to a pool's worker cost it one connection. The session is created when the first of them is unpickled, and connects when
it is first used.
"""

from __future__ import annotations

import pickle
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from .settings import Credentials

if TYPE_CHECKING:
    from .session import Session

#: This process's sessions that were pickled or unpickled, by name. There is no lock, which a fork might copy while it is held:
#: two threads that unpickle the same session at the same time may make two, and that does no harm.
_known: WeakValueDictionary[str, Session] = WeakValueDictionary()

#: The sessions unpickled last, kept alive so that a worker that drops its objects after each task need not connect anew.
_recent: deque[Session] = deque(maxlen=8)

State = dict[str, Any]


def state_of(session: Session) -> tuple[str, State]:
    """
    Return what identifies a session in other processes, and what they make it from, including the key or the password.

    Raises:
        pickle.PicklingError: The session has an ``ssl_context``, which cannot be pickled.
    """
    if session.options.get("ssl_context") is not None:
        raise pickle.PicklingError(
            "a connection with an ssl_context cannot go to another process: pass verify= and cert=, which are files"
        )
    if not session.pickled_as:
        session.pickled_as = uuid.uuid4().hex
        _known[session.pickled_as] = session
    return session.pickled_as, {
        # the origin goes first: objects are compared by it
        "url": (session.origin, *(url for url in session.urls if url != session.origin)),
        "credentials": tuple(session.credentials),
        "options": session.options,
        "live_options": session.live_options,
    }


def session_of(name: str, state: State) -> Session:
    """Return this process's session of that *name*; if there is none, or it was closed, make one from *state*."""
    from .session import Session

    known = _known.get(name)
    if known is not None and not known.is_closed:
        return known
    session = Session(
        state["url"],
        Credentials(*state["credentials"]),
        **state["options"],
    )
    session.live_options = dict(state["live_options"])
    session.pickled_as = name
    _known[name] = session
    _recent.append(session)
    return session
