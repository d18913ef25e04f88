"""
Connections in other processes: what a session was made of travels, its sockets, threads and subscriptions do not.

All objects that come out of pickles of one session share one session in a process, so that a thousand streams that are handed
to a pool's worker cost it one connection. That session is made when the first of them is unpickled, and connects when it is
first used.
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

#: The sessions of this process that others know of, by name. Two threads that unpickle the same one at the same time may
#: make two, which does no harm; so there is no lock that a fork could find taken.
_known: WeakValueDictionary[str, Session] = WeakValueDictionary()

#: The last few that came, held so that a worker that drops what it was handed finds its connection again at the next task.
_recent: deque[Session] = deque(maxlen=8)

State = dict[str, Any]


def state_of(session: Session) -> tuple[str, State]:
    """
    Return the name of a session among processes, and what another one makes it from; the key, or the password, is in it.

    Raises:
        pickle.PicklingError: An option of it is bound to this process.
    """
    if session.options.get("ssl_context") is not None:
        raise pickle.PicklingError(
            "a connection with an ssl_context cannot go to another process: pass verify= and cert=, which are files"
        )
    if not session.pickled_as:
        session.pickled_as = uuid.uuid4().hex
        _known[session.pickled_as] = session
    return session.pickled_as, {
        # by the first one objects are equal or not
        "url": (session.origin, *(url for url in session.urls if url != session.origin)),
        "credentials": tuple(session.credentials),
        "options": session.options,
        "live_options": session.live_options,
    }


def session_of(name: str, state: State) -> Session:
    """Return this process's session of that *name*; one is made of *state* if there is none, or it was closed."""
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
