"""From PipeScript as callers give it to the text that is sent. The text is not parsed here."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..exceptions import LocalProtocolError


@runtime_checkable
class SaysScript(Protocol):
    """Something that can be written as a script, as a compiled one can."""

    def __pipescript__(self) -> str:
        """Return the text of the script."""
        ...


#: What functions that want a script accept.
ScriptLike = str | SaysScript


def script_text(name: str, script: ScriptLike | None) -> str:
    """
    Return a script as text; ``""`` for no script.

    Args:
        name: The name of the caller's argument, for the error.
        script: Text, what `pipescript.pipe` made, or a `pipescript.Script`.

    Raises:
        LocalProtocolError: It is something else.
    """
    if script is None:
        return ""
    if isinstance(script, str):
        return str(script)
    # a class has the method too, but only its objects have a text
    if isinstance(script, SaysScript) and not isinstance(script, type):
        return script.__pipescript__()
    raise LocalProtocolError(f"{name}={script!r} is no PipeScript: expected text, a Script, or what pipe(…) made")
