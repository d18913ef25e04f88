"""
Requests that no client should send, by the hundred thousand: the server must answer each, stay as small as it was, and answer
the next one right.

``python -m tests.fuzz --requests 100000`` is the full run.
"""
