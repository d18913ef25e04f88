"""
A day of a household's traffic, compressed into minutes, with clients that come and go: the server must stay as it was.

``python -m tests.soak --minutes 15`` is the full run.
"""
