"""
Faults: real subscriptions, a real server, and everything that can go wrong between and behind them, while three writers insert.

``python -m tests.live_faults`` prints its seed and its figures, and ends with the status 1 if a subscriber's record is not the stream,
index by index, or if a subscription's own numbers do not add up. Kinds of faults are in `kinds`, what a subscriber has got in `watch`,
what is held against it in `check`; `broken` has subscriptions with a rule taken out, which have to be found.
"""
