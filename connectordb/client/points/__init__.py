"""
Many points at once: sent in batches, read in pages, ahead, and from several streams together. Entered by file, as each is loaded when used.
"""
