"""
Every call that touches the network, and every fault that a network, a proxy or a server has.

    python -m tests.call_faults [--short] [--page]

A call is made with a connection that has worked, through a gate before a real server; the gate has the fault, each time or once.
Held is, for each of them: what is raised is one of ours, and one that says what happened; it came within the deadline; as many
requests were sent as may be; nothing was written twice, and nothing is there of what was said to have failed; no secret is in
its text; credentials go nowhere else; the next call works. ``docs/topics/faults.rst`` is written by this program.

    python -m tests.call_faults.mixed [--short]

Many threads with one connection make mixed calls, of which some meet a fault; in the end the books balance.
"""

from __future__ import annotations
