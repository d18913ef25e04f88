"""
Users, devices and streams saved to folders, and brought back: in one go (``exports``), or so that it can be continued after a break
(``saving``, ``loading``).

The files are imported one by one, when they are used.
"""
