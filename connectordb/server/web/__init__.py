"""
HTTP and websockets: connections, what a request says of itself, answers, and who is let in at all.

The only room that knows aiohttp. What a request means is in ``handlers``, and how it is done in ``service.py``.
"""
