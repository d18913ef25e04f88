"""Scripts of the transform language as callers give them, to the text that travels; what the text says is not looked at."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..exceptions import LocalProtocolError


@runtime_checkable
class SaysScript(Protocol):
    """Something that can be said as a script, as a compiled one can."""

    def __pipescript__(self) -> str:
        """Return it as the text of a script."""
        ...


#: What may stand where a script is asked for.
ScriptLike = str | SaysScript


def script_text(name: str, script: ScriptLike | None) -> str:
    """
    Return a script as text, ``""`` if there is none.

    Args:
        name: How the caller calls it.
        script: Text, what `pipescript.pipe` made, or a `pipescript.Script`.

    Raises:
        LocalProtocolError: It is something else.
    """
    if script is None:
        return ""
    if isinstance(script, str):
        return str(script)
    # a class says what its objects say
    if isinstance(script, SaysScript) and not isinstance(script, type):
        return script.__pipescript__()
    raise LocalProtocolError(f"{name}={script!r} is no PipeScript: expected text, a Script, or what pipe(…) made")
