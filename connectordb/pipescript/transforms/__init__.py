"""All transforms, with one file for each family. Importing this package adds them to the registry."""

from . import aggregates, branching, calendar, current, entries, keys, places, selection, texts, times

__all__ = ["aggregates", "branching", "calendar", "current", "entries", "keys", "places", "selection", "texts", "times"]
