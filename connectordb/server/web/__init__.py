"""
HTTP and websockets: connections, what requests say about themselves, answers, and who is let in at all.

The only room that knows aiohttp. What a request means is in ``handlers``, and how it is carried out in ``service.py``.
"""
