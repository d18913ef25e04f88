"""
Faults: real Loggers, a real server, and everything that can go wrong between, in and below them, one fault at a time.

``python -m tests.faults`` prints its seed and its figures, and ends with the status 1 if a point was lost, doubled or out of order,
or if a Logger's own numbers do not add up. Kinds of faults are in `kinds`, a Logger's process in `life`, what is held against it in
`check`; `broken` has Loggers with a rule taken out, which have to be found.
"""
