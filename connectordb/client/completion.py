"""
Tab completion of the names of users, devices and streams at a prompt.

IPython completes an object's keys (``cdb["…``) without further ado. After ``%load_ext connectordb.client.completion`` it also
completes paths (``cdb("mara/…``) and what follows them. Python's own prompt does all of this after ``completion.install()``.

A thread asks the server for the names, and the prompt waits for it only for a moment, so a dead server cannot hold it up. Names
that come later are there at the next TAB, and are kept for a few seconds. Where something fails, there are no names.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..exceptions import ConnectorDBError, LocalProtocolError, PermissionDenied
from ..protocol import rest
from ..protocol.paths import NOBODYS_PATH, Path
from ..runtime.clock import Deadline
from .resource import ConnectorObject
from .session import Session

log = logging.getLogger(__name__)

#: Seconds that a prompt may be held up, and for which names are kept: about the time until TAB is pressed again.
PATIENCE, FRESH = 0.7, 5.0

#: Seconds after which the thread gives up asking.
_LIMIT = 5.0

#: The end of a line: a variable, the steps from there (``.user``, ``["name"]``), and the beginning of a further path or name.
_LINE = re.compile(
    r"""(?P<variable>[^\W\d]\w*)
        (?P<steps>(?:\.user|\.device|\(\s*(?:"[\w/-]*"|'[\w/-]*')\s*\)|\[\s*(?:"[\w-]*"|'[\w-]*')\s*\])*)
        (?P<bracket>[(\[])\s*(?P<quote>["'])(?P<begun>[\w/-]*)$""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.(?P<property>\w+)|(?P<bracket>[(\[])\s*["'](?P<name>[\w/-]*)["']""")


class _Question:
    """
    The question what is below a path, and its latest answer.

    Attributes:
        names: The names.
        until: When they become stale, by the monotonic clock.
        thread: Asks the server, or has asked it.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.until = 0.0
        self.thread: threading.Thread | None = None


# guards `_asked` and the starting of threads
_lock = threading.Lock()
_asked: WeakKeyDictionary[Session, dict[Path | None, _Question]] = WeakKeyDictionary()


def below(session: Session, path: Path | None) -> list[str]:
    """
    Return the names of what is below *path*, as far as they are known within a moment; never raises, and never hangs.

    Args:
        session: Asks the server.
        path: A device or a user, or the empty path for all users; ``None`` for the device that is logged in.
    """
    with _lock:
        question = _asked.setdefault(session, {}).setdefault(path, _Question())
        thread = question.thread
        if time.monotonic() < question.until:
            return question.names
        if thread is None or not thread.is_alive():
            thread = threading.Thread(
                target=_ask, args=(session, path, question), name="connectordb-completion", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # the system gives us no thread
                log.debug("no completion: %s", error)
                return question.names
            question.thread = thread
    thread.join(PATIENCE)
    return question.names


def _ask(session: Session, path: Path | None, question: _Question) -> None:
    try:
        with session.within(Deadline(_LIMIT, session.clock)), session.chosen(retry=1):
            question.names = sorted(_names(session, session.path if path is None else path))
    except Exception as error:  # whatever it is, a traceback in the middle of typing would help nobody
        log.debug("no completion: %s", error)
    question.until = time.monotonic() + FRESH


def _names(session: Session, path: Path) -> list[str]:
    if path == NOBODYS_PATH:
        return []
    try:
        if path.depth == 0:
            listed = session.call(rest.list_users())
        elif path.depth == 1:
            listed = session.call(rest.list_devices(path))
        else:
            listed = session.call(rest.list_streams(path))
    except PermissionDenied:
        if path.depth:
            raise
        return [session.path.user.name]  # one may always see one's own user
    return [fields["name"] for fields in listed]


# --- lines of a prompt ------------------------------------------------------------------------------------------------


class Completions(NamedTuple):
    """
    The completions of a path or name at the end of a line.

    Attributes:
        begun: The part of it that is there.
        wholes: The whole paths or names that it may become.
        is_key: Whether it is a key of a plain variable, ``cdb["…``.
    """

    begun: str
    wholes: list[str]
    is_key: bool


def of_line(line: str, variables: Mapping[str, Any]) -> Completions | None:
    """
    Return the completions of the path or name at the end of *line*; ``None`` if nothing of ours is there.

    Of the line, only what does not ask the server is evaluated: paths, names, ``.user`` and ``.device``.
    """
    found = _LINE.search(line)
    if found is None:
        return None
    begun = found["begun"]
    try:
        start = _looked_up(variables.get(found["variable"]), found["steps"])
        if start is None:
            return None
        if found["bracket"] == "[":
            session, path = start
            wholes = below(session, path) if path is None or path.depth < 3 and "/" not in begun else []
        else:
            wholes = _paths(start[0], begun) if start[1] is None and not found["steps"] else []
    except ConnectorDBError:  # a name that is not valid
        return None
    is_key = found["bracket"] == "[" and not found["steps"]
    return Completions(begun, [whole for whole in wholes if whole.startswith(begun)], is_key)


def paths(here: ConnectorObject, begun: str, *, with_own: bool = False) -> list[str]:
    """
    Return the paths that *begun* may become, as far as they are known within a moment; never raises, and never hangs.

    Args:
        here: Any object of the connection to use.
        begun: The beginning of a path, or all of it, as on the command line, where a user's path ends with a slash.
        with_own: Also return names of the device's own streams.
    """
    try:
        found = [path for path in _paths(here._session, begun) if "/" in path and path.startswith(begun)]
    except LocalProtocolError:  # no path begins like this
        return []
    if "/" not in begun:
        if with_own:
            found += [name for name in below(here._session, None) if name.startswith(begun)]
        if len(found) == 1 and found[0].endswith("/"):  # a shell would take a single completion for finished
            found += _paths(here._session, found[0])
    return found


def _paths(session: Session, begun: str) -> list[str]:
    above, _, _ = begun.rpartition("/")
    parent = Path.parse(above) if above else Path(())
    if parent.depth > 2:
        return []
    paths = [f"{above}/{name}" if above else name for name in below(session, parent)]
    # as there are two for each, a prompt does not take the path for finished, and shows that it may go on
    return paths if parent.depth == 2 else [path + end for path in paths for end in ("", "/")]


def _looked_up(variable: object, steps: str) -> tuple[Session, Path | None] | None:
    """
    Return session and path of the object that *variable*, followed by *steps*, would be; ``None`` if it is not ours.

    A path of ``None`` is the device that is logged in.
    """
    if not isinstance(variable, ConnectorObject):
        return None
    session, path = variable._session, variable._place
    for step in _STEP.finditer(steps):
        here = path if path is not None else session.path_if_known
        if step["bracket"] == "(":
            if path is not None:  # only a connection can be called with a path
                return None
            path = Path.parse(step["name"])
        elif here is None:  # which device is logged in is not known yet, and this must not ask
            return None
        elif step["bracket"] == "[":
            path = here / step["name"]
        else:
            path = here.user if step["property"] == "user" else here.device
    return session, path


# --- prompts ----------------------------------------------------------------------------------------------------------


class _Completion(NamedTuple):
    """A completion as IPython wants one."""

    text: str
    type: str = "path"


def load_ipython_extension(shell: Any) -> None:
    """Complete paths in IPython, from 8.6 on: ``%load_ext connectordb.client.completion``."""

    def matcher(context: Any) -> dict[str, Any]:
        found = of_line(context.text_until_cursor, shell.user_ns)
        if found is None or found.is_key:  # IPython completes keys by itself, with the closing bracket
            return {"completions": []}
        # IPython replaces what it considers to be the last word of the line, which may be less, or more, than ours
        word = context.token
        kept = len(found.begun) - len(word)
        wholes = found.wholes if kept >= 0 and found.begun.endswith(word) else []
        return {
            "completions": [_Completion(whole[kept:]) for whole in wholes],
            "suppress": True,
            "matched_fragment": word,
        }

    matcher.matcher_api_version = 2  # type: ignore[attr-defined]
    matcher.matcher_priority = 1000  # type: ignore[attr-defined]  # before the matchers that it suppresses
    matcher.matcher_identifier = "connectordb"  # type: ignore[attr-defined]
    shell.Completer.custom_matchers.append(matcher)


def install(variables: Mapping[str, Any] | None = None) -> None:
    """
    Complete paths and names in Python's own prompt.

    Args:
        variables: The variables of the prompt; by default those of ``__main__``.
    """
    names = vars(sys.modules["__main__"]) if variables is None else variables
    for module in ("readline", "_pyrepl.readline"):
        prompt = sys.modules.get(module)
        if prompt is not None and prompt.get_completer() is not None:
            prompt.set_completer(_Completer(prompt.get_completer(), prompt.get_line_buffer, prompt.get_endidx, names))


class _Completer:
    """
    A completer for readline that completes our objects, and leaves everything else to the former completer.

    Args:
        before: The former completer.
        line: Returns the whole line.
        end: Returns the position of the cursor in it.
        variables: The variables of the prompt.
    """

    def __init__(
        self,
        before: Callable[[str, int], str | None],
        line: Callable[[], str],
        end: Callable[[], int],
        variables: Mapping[str, Any],
    ) -> None:
        self._before, self._line, self._end, self._variables = before, line, end, variables
        self._found: list[str] | None = None

    def __call__(self, text: str, state: int) -> str | None:
        """Return completion number *state* of the last word; ``None`` after the last one."""
        if state == 0:
            found = of_line(self._line()[: self._end()], self._variables)
            if found is None:
                self._found = None
            else:
                # to readline a word begins after a slash: only what follows it is replaced
                kept = len(found.begun) - len(text)
                self._found = [whole[kept:] for whole in found.wholes]
        if self._found is None:
            return self._before(text, state)
        return self._found[state] if state < len(self._found) else None
