"""
Every run that a Logger, its network and a server can go through, in small; searched for one that goes wrong.

`world` is what there is and what may happen to it, `worlds` those that are searched. `surroundings` has it happen. `process` is
the Logger: the package's own pass, told by `driver` what it waits for, over a file in memory (`cache`); `fingerprint` says
what it remembers. `rules` takes out what it keeps to. `search` looks for a run that goes wrong.
"""
