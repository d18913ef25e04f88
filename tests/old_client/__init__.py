"""
The Python client 0.3.5, unchanged, against the embedded server: what it sends, byte for byte, and what it gets.

``python -m tests.old_client`` installs it into an environment of its own and runs it as a program. Nothing here imports it.
"""
