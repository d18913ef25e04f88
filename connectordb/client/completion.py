"""
Tab completion of users, devices and streams, in a prompt: names that are asked for with a short deadline, and kept for a moment.

IPython asks an object for its keys (``cdb["…``) by itself. With ``%load_ext connectordb.client.completion`` it completes paths
(``cdb("mara/…``) and what follows them, too; Python's own prompt does all of that after ``completion.install()``.

A name that is asked for is waited for as long as nobody minds, by a thread, so that neither a dead server nor one that is
looked up for ever holds up the prompt. What comes later is there for the next TAB. What fails is no names.
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

#: Seconds that a prompt may be held up, and that names are kept: about the time in which TAB is pressed again.
PATIENCE, FRESH = 0.7, 5.0

#: Seconds after which a question is given up that nobody waits for any more.
_LIMIT = 5.0

#: At the end of a line: a variable, what is looked up from there, and the beginning of another path or name.
_LINE = re.compile(
    r"""(?P<variable>[^\W\d]\w*)
        (?P<steps>(?:\.user|\.device|\(\s*(?:"[\w/-]*"|'[\w/-]*')\s*\)|\[\s*(?:"[\w-]*"|'[\w-]*')\s*\])*)
        (?P<bracket>[(\[])\s*(?P<quote>["'])(?P<begun>[\w/-]*)$""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.(?P<property>\w+)|(?P<bracket>[(\[])\s*["'](?P<name>[\w/-]*)["']""")


class _Question:
    """What lies below a path."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.until = 0.0
        self.thread: threading.Thread | None = None


# guards the questions
_lock = threading.Lock()
_asked: WeakKeyDictionary[Session, dict[Path | None, _Question]] = WeakKeyDictionary()


def below(session: Session, path: Path | None) -> list[str]:
    """
    Return the names of what lies below *path*, as far as they are known within a moment; never raises, and hangs for nobody.

    Args:
        session: Who asks.
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
            except RuntimeError as error:  # there is no thread left
                log.debug("no completion: %s", error)
                return question.names
            question.thread = thread
    thread.join(PATIENCE)
    return question.names


def _ask(session: Session, path: Path | None, question: _Question) -> None:
    try:
        with session.within(Deadline(_LIMIT, session.clock)), session.chosen(retry=1):
            question.names = sorted(_names(session, session.path if path is None else path))
    except Exception as error:  # whatever it is, there is nobody whom it would help
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
        return [session.path.user.name]  # the one that everybody sees
    return [fields["name"] for fields in listed]


# --- lines of a prompt ------------------------------------------------------------------------------------------------


class Completions(NamedTuple):
    """
    What may stand at the end of a line.

    Attributes:
        begun: What stands there.
        wholes: What may stand there instead: paths, or names.
        is_key: Whether it is the key of a variable.
    """

    begun: str
    wholes: list[str]
    is_key: bool


def of_line(line: str, variables: Mapping[str, Any]) -> Completions | None:
    """
    Return what the path or name at the end of *line* may become; ``None`` where there is none that is ours.

    Only what asks nobody is evaluated: paths, names, and ``.user`` and ``.device``.
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
    except ConnectorDBError:  # a name that is none
        return None
    is_key = found["bracket"] == "[" and not found["steps"]
    return Completions(begun, [whole for whole in wholes if whole.startswith(begun)], is_key)


def paths(here: ConnectorObject, begun: str, *, with_own: bool = False) -> list[str]:
    """
    Return the paths that *begun* may become, as far as they are known within a moment; never raises, and hangs for nobody.

    Args:
        here: Whose connection is asked.
        begun: The beginning of a path as commands have it, up to the whole of it: that of a user ends with a slash.
        with_own: Also names of the device's own streams.
    """
    try:
        found = [path for path in _paths(here._session, begun) if "/" in path and path.startswith(begun)]
    except LocalProtocolError:  # what can begin no path
        return []
    if "/" not in begun:
        if with_own:
            found += [name for name in below(here._session, None) if name.startswith(begun)]
        if len(found) == 1 and found[0].endswith("/"):  # a shell would take a lone one for finished
            found += _paths(here._session, found[0])
    return found


def _paths(session: Session, begun: str) -> list[str]:
    above, _, _ = begun.rpartition("/")
    parent = Path.parse(above) if above else Path(())
    if parent.depth > 2:
        return []
    paths = [f"{above}/{name}" if above else name for name in below(session, parent)]
    # with both, a prompt does not take the path for finished, and shows that it may go on
    return paths if parent.depth == 2 else [path + end for path in paths for end in ("", "/")]


def _looked_up(variable: object, steps: str) -> tuple[Session, Path | None] | None:
    """Return what an expression is, as session and path; ``None`` as the path is the device that is logged in."""
    if not isinstance(variable, ConnectorObject):
        return None
    session, path = variable._session, variable._place
    for step in _STEP.finditer(steps):
        here = path if path is not None else session.path_if_known
        if step["bracket"] == "(":
            if path is not None:  # only a connection can be called with a path
                return None
            path = Path.parse(step["name"])
        elif here is None:  # nobody knows yet who this is
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
        if found is None or found.is_key:  # keys it completes by itself, brackets included
            return {"completions": []}
        # IPython replaces what it takes for the word at the end
        word = context.token
        kept = len(found.begun) - len(word)
        wholes = found.wholes if kept >= 0 and found.begun.endswith(word) else []
        return {
            "completions": [_Completion(whole[kept:]) for whole in wholes],
            "suppress": True,
            "matched_fragment": word,
        }

    matcher.matcher_api_version = 2  # type: ignore[attr-defined]
    matcher.matcher_priority = 1000  # type: ignore[attr-defined]  # before those that it suppresses
    matcher.matcher_identifier = "connectordb"  # type: ignore[attr-defined]
    shell.Completer.custom_matchers.append(matcher)


def install(variables: Mapping[str, Any] | None = None) -> None:
    """
    Complete paths and names in Python's own prompt.

    Args:
        variables: Those of the prompt; by default those of ``__main__``.
    """
    names = vars(sys.modules["__main__"]) if variables is None else variables
    for module in ("readline", "_pyrepl.readline"):
        prompt = sys.modules.get(module)
        if prompt is not None and prompt.get_completer() is not None:
            prompt.set_completer(_Completer(prompt.get_completer(), prompt.get_line_buffer, prompt.get_endidx, names))


class _Completer:
    """
    Completes what is ours in a line, and leaves the rest to who did that before.

    Args:
        before: That one.
        line: Returns the whole line.
        end: Returns where in it the cursor is.
        variables: Those of the prompt.
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
        """Return the completion of that number, of the word at the end; ``None`` after the last."""
        if state == 0:
            found = of_line(self._line()[: self._end()], self._variables)
            if found is None:
                self._found = None
            else:
                # a word ends at a slash, here
                kept = len(found.begun) - len(text)
                self._found = [whole[kept:] for whole in found.wholes]
        if self._found is None:
            return self._before(text, state)
        return self._found[state] if state < len(self._found) else None
