"""
Storms: a real server, many clients, and something that goes wrong at random instants, over and over.

``python -m tests.storms.kill``, ``…power`` and ``…full``; each prints its seed and figures, ends with the status 1 if anything
acknowledged is missing, doubled, out of order or half there, and has a ``--short`` run of some ten seconds for CI.
"""
