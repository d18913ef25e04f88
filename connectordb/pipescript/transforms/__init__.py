"""All transforms, one family a file; importing this makes them known to the registry."""

from . import aggregates, branching, calendar, current, entries, keys, places, selection, texts, times

__all__ = ["aggregates", "branching", "calendar", "current", "entries", "keys", "places", "selection", "texts", "times"]
