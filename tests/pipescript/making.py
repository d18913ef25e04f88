"""Scripts that somebody might send: valid ones, valid ones with mistakes, and what is none at all."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from connectordb.pipescript import TRANSFORMS
from connectordb.pipescript.tree import BINDING

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "pipescript_vectors.json").read_text(encoding="utf-8"))
SCRIPTS = sorted({vector["script"] for vector in VECTORS})

_NAMES = sorted(TRANSFORMS)
_TEXTS = ("a", "b", "x", "", "1", "true", "UTC", "Europe/London", "[a-z]+", "(", "\\d", "é")
_PIECES = [
    *_NAMES,
    *BINDING,
    *"()[]{}:|,-'\"\\#;\n\t $",
    "not",
    "true",
    "false",
    "1",
    "0",
    "99999999999999999999",
    "'a'",
]


def script(random: Random, levels: int = 3) -> str:
    """Return a script that is well-formed, though it may be refused for what it says."""
    kind = random.randrange(10) if levels else random.randrange(3)
    if kind == 0:
        return random.choice(("0", "1", "2.5", "10", "true", "false", "1000000"))
    if kind == 1:
        return repr(random.choice(_TEXTS)) if random.random() < 0.3 else "$"
    if kind in (2, 3, 4):
        name = random.choice(_NAMES)
        most = len(TRANSFORMS[name].args)
        number = random.randint(TRANSFORMS[name].required, most) if random.random() < 0.95 else random.randint(0, 3)
        args = [script(random, max(levels - 1, 0)) for _ in range(number)]
        return f"{name}({', '.join(args)})" if args else name
    if kind in (5, 6):
        return f"({script(random, levels - 1)} {random.choice(list(BINDING))} {script(random, levels - 1)})"
    if kind == 7:
        return f"{random.choice(('not ', '-'))}({script(random, levels - 1)})"
    if kind == 8:
        pairs = (
            f"{random.choice(('a', 'b', 'c'))!r}: {script(random, levels - 1)}" for _ in range(random.randint(1, 3))
        )
        return f"{{{', '.join(pairs)}}}"
    return f"({script(random, levels - 1)} | {script(random, levels - 1)})"


def mutated(random: Random, text: str) -> str:
    """Return a script with a few mistakes."""
    for _ in range(random.randint(1, 4)):
        at, length = random.randint(0, len(text)), random.choice((0, 0, 1, 1, 2, 5))
        text = text[:at] + random.choice(("", "", random.choice(_PIECES), text[at : at + 20])) + text[at + length :]
    return text


def noise(random: Random) -> str:
    """Return anything at all."""
    if random.random() < 0.5:
        return " ".join(random.choices(_PIECES, k=random.randint(0, 12)))
    return "".join(
        chr(random.choice((random.randrange(128), random.randrange(0x3000)))) for _ in range(random.randint(0, 20))
    )


def hostile(random: Random) -> str:
    """Return a script that grows: long, deep, or making more out of every point."""
    number = random.choice((3, 30, 300, 3000))
    piece = random.choice(
        (
            *("+ $", "+ 1", "and $", "== $", ": $", "| $", "| count", "| {'a': $, 'b': $}", "| set('x', $)", "| $ + $"),
            *(
                "| next",
                "| last",
                "| apply($)",
                "| map($, $)",
                "| imap($, append)",
                "| while(true, sum)",
                "+ next",
                "| if last",
            ),
            *(
                "| (next + $)",
                "| reduce(sum)",
                "| apply({'a': $, 'b': $})",
                "| ifelse($, $, $)",
                "| remember($)",
                "| '1' + $",
            ),
        )
    )
    around = random.choice(
        (("(", ")"), ("not ", ""), ("-", ""), ("ifelse($, ", ")"), ("{'a': ", "}"), ("imap($, ", ")"))
    )
    begin = random.choice(("$", "{'a': $}", "imap(t, append)", "'ab'", "append", script(random, 1)))
    if random.random() < 0.3:
        return around[0] * number + begin + around[1] * number
    return begin + f" {piece}" * number


def points(random: Random) -> list[dict[str, Any]]:
    """Return points of one kind, or of many."""
    kinds = random.choice(((0,), (0, 1), (2,), (3,), (0, 1, 2, 3, 4, 5)))
    return [{"t": float(at), "d": value(random, random.choice(kinds))} for at in range(1, random.randint(2, 7))]


def value(random: Random, kind: int, levels: int = 2) -> Any:
    """Return a value."""
    if kind == 0:
        return random.choice((0.0, 1.0, -3.5, 1e6, 1e300, float(random.randrange(100)), random.randrange(10)))
    if kind == 1:
        return random.random() < 0.5
    if kind == 2:
        return random.choice(
            ("", "a", "1", "true", "hello, good world", "http://www.a.org/x", "é\ud800", "1e400", "nan")
        )
    if kind == 3 and levels:
        keys = random.sample(("a", "b", "c", "latitude", "longitude"), random.randint(0, 4))
        return {key: value(random, random.randrange(6), levels - 1) for key in keys}
    if kind == 4 and levels:
        return [value(random, random.randrange(6), levels - 1) for _ in range(random.randint(0, 3))]
    return None
