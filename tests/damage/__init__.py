"""
Damaging cache files of the Logger, page by page, and opening them: what can be read must be there.

``python -m tests.damage`` does it to every page of files of several shapes; the suite takes a sample.
"""
