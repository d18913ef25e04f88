"""
Who is calling, and who may do what: credentials, password hashes, permissions and the files that change them.

Nothing here knows about HTTP, or about what a request asks for. Both are brought together in ``service.py``.
"""
