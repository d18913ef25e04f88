"""``POST /join``: lets people create their own user, if the permissions allow that, and logs them in."""

from __future__ import annotations

from typing import Any

from ..rights.accounts import USER_DEVICE, Caller
from ..storage import Taken, Writer
from .create import new_user, read_user, taken_refusal
from .fields import with_defaults
from .limits import is_full
from .request import Refusal, Reply, Request, Session


def join(writer: Writer, request: Request) -> Reply:
    """Create the user that the body describes, with the role that the caller's role prescribes, and log it in by cookie."""
    role = request.permissions.user_role(request.caller.user)
    if not role.may_join:
        raise Refusal(403, role.join_refusal or "Join is disabled")
    if is_full(writer, request.permissions):
        raise Refusal(403, "The maximum number of users has been reached.")
    body = request.json()
    fields = read_user(body, request.limits.tree_objects)
    # without the defaults of the caller's role: the new user is described by itself, not by the caller
    columns = with_defaults("user", {**fields, "role": role.join_role})
    try:
        user = new_user(writer, request, _name(body), columns, fields)
    except Taken as taken:
        raise Refusal(400, taken_refusal(1, taken).message) from taken
    except Refusal as refusal:
        raise Refusal(400, refusal.message) from refusal
    device = writer.find((user.name, USER_DEVICE)).device
    return Reply.text("ok", session=Session(Caller(user, device)))


def _name(body: Any) -> str:
    """Return the name in a body. Its key may be in any case, as those of the other fields."""
    name = next((value for key, value in (body or {}).items() if key.lower() == "name" and value is not None), "")
    if not isinstance(name, str):
        raise Refusal(400, "Value of field 'name' must be a string")
    return name
