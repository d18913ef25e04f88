"""
Who is calling, and who may do what: credentials, password hashes, permissions and the files that change them.

Nothing here knows of HTTP or of what a request asks for; that is put together in ``service.py``.
"""
