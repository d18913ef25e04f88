"""
Many points at once: sent in batches, read in pages, read ahead, and read from several streams together.

The files are imported one by one, when they are used.
"""
