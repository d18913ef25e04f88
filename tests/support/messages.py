"""The texts in the package's code, for documents that speak of its messages: what a document quotes, some code can say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

#: What stands for that which differs, in documents and here.
SOME = "…"


def texts(package: Path) -> set[str]:
    """Return all literal texts in the modules of *package*, with `SOME` for what a formatted one puts in."""
    found: set[str] = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.add("".join(_part(value) for value in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def _part(value: ast.expr) -> str:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else SOME


def unsaid(message: str, said: set[str]) -> list[str]:
    """Return the pieces of a *message*, between what differs, that are in none of the texts that are *said*."""
    # what stands between two messages that were put together is in neither
    pieces = [piece.strip(" ;:.,()") for piece in re.split(SOME, message)]
    return [piece for piece in pieces if piece and not any(piece in text for text in said)]
