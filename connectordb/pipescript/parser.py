"""
From tokens to nodes, with one function for each rule of the grammar (``docs/topics/pipescript.rst``, "Grammar").

Two rules are odd: what a minus means after a name and a space; and that a name and a space at the beginning of a stage may be a
call without brackets.
"""

from __future__ import annotations

from collections.abc import Callable

from ..exceptions import PipeScriptError
from .lexer import Kind, Token, tokens
from .limits import Limits
from .tree import BINDING, PREFIX, Binary, Call, Constant, Node, Object, Pipe, Prefix

_COLON = 9
_LITERALS = (Kind.NUMBER, Kind.STRING, Kind.BOOL)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


_LIMITS = Limits()


def parse(text: str, limits: Limits = _LIMITS, check: Callable[[Call], None] = lambda call: None) -> Node:
    """
    Return the syntax tree of a script.

    Args:
        text: The script.
        limits: How large it may be.
        check: Called with each call as soon as it is read. What it raises comes before errors further on in the script.

    Raises:
        PipeScriptError: It is no valid script; the message shows where.
    """
    if len(text) > limits.length:
        raise PipeScriptError(f"a script of {len(text)} characters is too long; {limits.length} are possible")
    parser = _Parser(text, limits.nesting, check)
    node = parser.pipeline()
    parser.expect(Kind.END, "an operator, '|' or the end")
    return node


class _Parser:
    def __init__(self, text: str, nesting: int, check: Callable[[Call], None]) -> None:
        self._text = text
        self._check = check
        self._nesting = nesting
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0

    # --- tokens ---

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += token.kind is not Kind.END
        return token

    def _is(self, kind: Kind, value: str = "") -> bool:
        token = self._next
        return token.kind is kind and (not value or token.value == value)

    def expect(self, kind: Kind, what: str, value: str = "") -> Token:
        """Take a token of a kind, or complain that *what* was expected."""
        if not self._is(kind, value):
            raise self._unexpected(what)
        return self._take()

    def _unexpected(self, expected: str) -> PipeScriptError:
        token = self._next
        found = "the script ends" if token.kind is Kind.END else f"{self._text[token.start : token.end]!r} stands"
        if token.kind is Kind.END and token.start < len(self._text):
            found = f"{self._text[token.start]!r}, which means nothing, stands"
        return PipeScriptError("syntax error", self._text, token.start, hint=f"{expected} expected where {found}")

    def _starts_operand(self) -> bool:
        """Whether the next token can begin an operand other than one with a minus."""
        token = self._next
        return token.kind in (*_LITERALS, Kind.NAME, Kind.SPACED_NAME, Kind.NOT, Kind.OPEN)

    def _is_minus(self) -> bool:
        return self._is(Kind.OPERATOR, "-")

    # --- rules ---

    def pipeline(self) -> Node:
        """Read stages with ``|`` between them."""
        left = self._stage()
        while self._is(Kind.PIPE):
            self._take()
            then = self._stage()
            left = Pipe(left, then, span=_span(left, then))
        return left

    def _stage(self) -> Node:
        if not self._is(Kind.SPACED_NAME):
            return self._expression(0)
        name = self._take()
        bare = _bare(name)
        if self._is_minus():
            minus = self._take()
            subtrahend = self._expression(PREFIX["-"])
            if self._ends_subtraction():
                left = Binary("-", self._checked(bare), subtrahend, span=_span(bare, subtrahend))
                return self._continued(left, 0)
            negated = Prefix("-", subtrahend, span=(minus.start, subtrahend.span[1]))
            args = [self._continued(negated, 0)]
        elif self._starts_operand():
            args = [self._expression(0)]
        else:
            return self._continued(self._checked(bare), 0)
        while self._starts_operand() or self._is_minus():
            args.append(self._expression(0))
        return self._checked(Call(name.value, tuple(args), span=(name.start, args[-1].span[1])))

    def _checked(self, call: Call) -> Call:
        try:
            self._check(call)
        except PipeScriptError as error:
            error.in_script(self._text, call.span[0])
            raise
        return call

    def _ends_subtraction(self) -> bool:
        token = self._next
        if token.kind is Kind.OPERATOR:
            return token.value not in "*/%^"
        return token.kind in (Kind.END, Kind.PIPE) or (token.kind is Kind.CLOSE and token.value in ")]")

    def _expression(self, limit: int) -> Node:
        self._depth += 1
        if self._depth > self._nesting:
            raise PipeScriptError(f"nested more than {self._nesting} levels deep", self._text, self._next.start)
        node = self._continued(self._operand(), limit)
        self._depth -= 1
        return node

    def _continued(self, left: Node, limit: int) -> Node:
        """Read the operators after *left* that bind tighter than *limit*, with their right sides."""
        while True:
            token = self._next
            if token.kind is Kind.COLON and limit < _COLON:
                self._take()
                then = self._expression(_COLON)
                left = Pipe(left, then, span=_span(left, then))
            elif token.kind is Kind.OPERATOR and BINDING[token.value] > limit:
                self._take()
                right = self._expression(BINDING[token.value])
                left = Binary(token.value, left, right, span=_span(left, right))
            else:
                return left

    def _operand(self) -> Node:
        token = self._next
        if token.kind in _LITERALS:
            self._take()
            return Constant(token.value, span=(token.start, token.end))
        if token.kind is Kind.NOT or self._is_minus():
            self._take()
            operand = self._expression(PREFIX[token.value])
            return Prefix(token.value, operand, span=(token.start, operand.span[1]))
        if token.kind is Kind.OPEN:
            return self._object() if token.value == "{" else self._group()
        if token.kind is Kind.SPACED_NAME:
            return self._spaced_name()
        if token.kind is Kind.NAME:
            return self._call()
        raise self._unexpected("a value")

    def _group(self) -> Node:
        bracket = self._take()
        node = self.pipeline()
        self.expect(Kind.CLOSE, f"an operator or {_CLOSING[bracket.value]!r}", _CLOSING[bracket.value])
        return node

    def _spaced_name(self) -> Node:
        bare = self._checked(_bare(self._take()))
        if not self._is_minus():
            return bare
        self._take()
        # contrary to what one might expect, the right side is only what binds tighter than a minus
        right = self._expression(BINDING["-"])
        return Binary("-", bare, right, span=_span(bare, right))

    def _call(self) -> Node:
        name = self._take()
        bracket = self._next
        if not (bracket.kind is Kind.OPEN and bracket.value in "(["):
            return self._checked(_bare(name))
        self._take()
        args: list[Node] = []
        if not (bracket.value == "(" and self._is(Kind.CLOSE, ")")):
            args.append(self._expression(0))
            while self._is(Kind.COMMA):
                self._take()
                args.append(self._expression(0))
        close = self.expect(Kind.CLOSE, f"',' or {_CLOSING[bracket.value]!r}", _CLOSING[bracket.value])
        return self._checked(Call(name.value, tuple(args), span=(name.start, close.end)))

    def _object(self) -> Node:
        begin = self._take()
        items: list[tuple[str, Node]] = []
        while True:
            key = self.expect(Kind.STRING, "a key in quotes")
            self.expect(Kind.COLON, "':'")
            items.append((key.value, self._expression(0)))
            if not self._is(Kind.COMMA):
                break
            self._take()
        close = self.expect(Kind.CLOSE, "',' or '}'", "}")
        return Object(tuple(items), span=(begin.start, close.end))


def _bare(name: Token) -> Call:
    return Call(name.value, span=(name.start, name.end))


def _span(left: Node, right: Node) -> tuple[int, int]:
    return (left.span[0], right.span[1])
