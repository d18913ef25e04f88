"""The table as a page of the documentation; and what must be in such a page, so that an old one is noticed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .calls import CALLS, KINDS
from .faults import FAULTS, Fault
from .surface import LEFT_OUT
from .trial import Result

PAGE = Path(__file__).parent.parent.parent / "docs" / "topics" / "faults.rst"

_INTRODUCTION = """\
Faults
======

What each call does when the network, a proxy or the server fails. A program writes this page, ``python -m tests.call_faults
--page``, by making each call meet each fault, over real sockets to a real server: {meetings} combinations in all,
of {calls} calls and {faults} faults. {kept} these promises:

- Only :doc:`this package's exceptions </reference/exceptions>` are raised.
- They are raised within the call's deadline. (Here that was {deadline:g} seconds, with {options}.)
- No more requests are sent than the table says.
- No point is stored twice. What a call says that it has stored is stored, and what it says that it has not stored is not;
  only `~connectordb.OutcomeUnknown` says that nobody knows.
- No API key and no password appears in the exception, its causes, or the log, and none is sent to another host.
- The next call works.

In the tables, "each time" is a fault that lasts as long as the call; "once" is one that only the first request meets, and "at its
last request" one that only the last of several requests meets. If the server may have received the request all the same, there are
two rows. "3 requests" is the number of requests that the server, or whatever took its place, received; "1 request more" is how many
more than without a fault. If nothing arrived, the table says how often a connection was attempted.

"""

_CALLS = """\
The calls
---------

"""

_LEFT_OUT = """\
Not in the table
----------------

These ask nothing of the network:

"""


def write(results: Iterable[Result], options: str, deadline: float) -> None:
    """Write the page."""
    PAGE.write_text(page(list(results), options, deadline), encoding="utf-8")


def rewrite(results: Iterable[Result]) -> None:
    """Write the sections of the faults that were had anew, and leave the others."""
    of: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        of[result.meeting.fault.name].append(result)
    text = PAGE.read_text(encoding="utf-8")
    headings = [_heading(fault) for fault in FAULTS.values()] + [_CALLS]
    for fault, heading, following in zip(FAULTS.values(), headings, headings[1:], strict=False):
        if fault.name in of:
            before, _, rest = text.partition(heading)
            text = before + _section(fault, of[fault.name]) + following + rest.partition(following)[2]
    PAGE.write_text(text, encoding="utf-8")


def relist() -> None:
    """Write the lists of calls at the end of the page anew, and leave what was measured."""
    measured = PAGE.read_text(encoding="utf-8").partition(_CALLS)[0]
    PAGE.write_text(measured + _lists(), encoding="utf-8")


def page(results: Sequence[Result], options: str, deadline: float) -> str:
    """Return the page's text."""
    amiss = [result for result in results if result.wrong]
    parts = [
        _INTRODUCTION.format(
            meetings=f"{len(results):,}",
            calls=len(CALLS),
            faults=len(FAULTS),
            options=options,
            deadline=deadline,
            kept="All but those that are listed below kept" if amiss else "All of them kept",
        ),
        _broken(amiss),
    ]
    of: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        of[result.meeting.fault.name].append(result)
    parts += [_section(fault, of[name]) for name, fault in FAULTS.items()]
    return "".join(parts) + _lists()


def _lists() -> str:
    called = (f"{what}\n{_labels(kind)}\n\n" for kind, what in KINDS.items())
    return "".join([_CALLS, *called, _LEFT_OUT, *_left_out()]).rstrip() + "\n"


def _broken(amiss: Sequence[Result]) -> str:
    """Return which promises were not kept."""
    if not amiss:
        return ""
    by_fault: dict[str, dict[str, None]] = defaultdict(dict)
    for result in amiss:
        by_fault[result.meeting.fault.name][result.meeting.call.label] = None
    lines = ["What is amiss", "-------------", ""]
    for name, labels in by_fault.items():
        lines += [f"``{name}``", f"   {', '.join(f'``{label}``' for label in labels)}.", ""]
    return "\n".join(lines) + "\n"


def _section(fault: Fault, results: Sequence[Result]) -> str:
    lines = [
        f"{_heading(fault)}On the command line: ``--fault {fault.name}``.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 28 12 20 20 20",
        "",
        *_row("calls", "got by the server", "each time", "once", "at its last request"),
    ]
    for kind in KINDS:
        for shown, got, cells in _rows(kind, results):
            lines += _row(shown, got, *cells)
    return "\n".join(lines) + "\n\n"


def _heading(fault: Fault) -> str:
    title = fault.what[0].upper() + fault.what[1:]
    return f"{title}\n{'-' * len(title)}\n\n"


def _row(first: str, *others: str) -> list[str]:
    return [f"   * - {first}", *(f"     - {other}" if other else "     -" for other in others)]


def _rows(kind: str, results: Sequence[Result]) -> Iterator[tuple[str, str, tuple[str, str, str]]]:
    """Yield the rows of one kind of calls: which, what the server got, and what came of it; first what most do."""
    cells: dict[tuple[str, bool], dict[str, str]] = defaultdict(dict)
    for result in results:
        meeting = result.meeting
        if meeting.kind == kind and not meeting.call.is_twofold:
            column = "last" if meeting.at_last else "once" if meeting.is_once else "each"
            cells[meeting.call.label, meeting.is_passed_on][column] = result.cell
    variants = sorted({got for _, got in cells})
    for got in variants:
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        last: dict[tuple[str, str], set[str]] = defaultdict(set)
        for (label, passed_on), columns in cells.items():
            if passed_on is got:
                key = columns.get("each", ""), columns.get("once", "")
                groups[key].append(label)
                last[key] |= {columns["last"]} if "last" in columns else set()
        ordered = sorted(groups, key=lambda key: -len(groups[key]))
        for key in ordered:
            shown = KINDS[kind] if key == ordered[0] else ", ".join(f"``{label}``" for label in groups[key])
            if key == ordered[0] and len(ordered) > 1:
                shown += ", but for those below"
            answered = ("yes" if got else "no") if len(variants) > 1 else ""
            yield shown, answered, (*key, "; or ".join(sorted(last[key])))


def _labels(kind: str) -> str:
    labels = [
        f"``{label}``" for label, call in CALLS.items() if call.kind == kind.partition("-")[0] and not call.is_twofold
    ]
    return "   " + ", ".join(labels) + "."


def _left_out() -> Iterator[str]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for member, reason in LEFT_OUT.items():
        reasons[reason].append(f"``{member}``")
    for reason, names in reasons.items():
        yield f"{reason[0].upper()}{reason[1:]}\n   {', '.join(names)}.\n\n"


def missing(text: str) -> Iterator[str]:
    """Say what should be in the page and is not."""
    for fault in FAULTS.values():
        begin = text.find(f"``--fault {fault.name}``")
        if begin < 0:
            yield f"the fault {fault.name}"
            continue
        section = text[begin : text.find("\n---", begin)]
        yield from (f"{fault.name}: {what}" for what in KINDS.values() if f"* - {what}" not in section)
    for kind, what in KINDS.items():
        if f"{what}\n{_labels(kind)}\n" not in text:
            yield f"the list of: {what}"
    if "".join(_left_out()).rstrip() not in text:
        yield "the list of what is not in the table"
