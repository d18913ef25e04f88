"""
Making calls: the loop of one call and its attempts, the choice between several servers, the login, and the budget of retries.

Nothing here knows what a request is about; `connectordb.protocol.rest` reads its answer, and the table in
`connectordb.client.terms.judging` says what may be sent again.
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
