"""The storage of a server."""
