"""
The calls of a session: the loop of one call, its attempts, the servers it goes to, who calls, and what is kept so that retries stay few.

Nothing here knows what a request is about; how its answer is read is `connectordb.protocol.rest`'s business. What may be
sent again is the table of `connectordb.client.terms.judging`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .budget import Budget
from .endpoint import Endpoint
from .endpoints import Endpoints
from .login import Login
from .loop import Calls
from .names import Names
from .options import Options
from .surroundings import Surroundings

if TYPE_CHECKING:
    from .pieces import Pieces

__all__ = ["Budget", "Calls", "Endpoint", "Endpoints", "Login", "Names", "Options", "Pieces", "Surroundings"]
