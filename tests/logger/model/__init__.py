"""
Every run that a Logger, its network and a ConnectorDB 0.3 server can go through, in small; searched for one that goes wrong.

`world` is what there is and what may happen to it, `surroundings` has it happen, `cache` is the file, `driver` takes the steps
that `connectordb.logger.plan` decides on (`deciders`; `ahead`: those that it is to decide on), `rules` takes decisions out,
`search` looks for a run that goes wrong.
"""
