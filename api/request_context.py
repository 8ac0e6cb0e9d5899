"""Request context: the facts of one request that middleware, routes and logs share."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope

from api.client_secrets import ClientSecret
from api.dialect import OPENAI, Dialect
from api.errors import ApiError
from api.session_stats import SessionStats
from models.capacity.fair_queue import QueueEstimate
from models.request_stats import RequestStats

_KEY = "context"


def new_request_id() -> str:
    """An id that no other request has."""
    return f"req_{uuid.uuid4().hex}"


@dataclass(eq=False)
class RequestContext:
    """One request; `key_name` and `model` are empty until the key and the checkpoint are known.

    `key_digest` is the SHA-256 of the key in hexadecimal, empty without one.

    `estimate` is that of the queue when the request came, `failure` the error that it ended with.
    `native_reached`: BentoML has read all of it, and its endpoint runs. `asks_for_key`: what
    needs no key was let in without one, where everything else needs one. `endpoint` is the
    dialect's name for what was asked for; empty: its path is one of ours. `client_secret` is what
    stood in the place of a key; `session` is there once a live session is open.
    """

    id: str = field(default_factory=new_request_id)
    stats: RequestStats = field(default_factory=RequestStats)
    key_name: str = ""
    key_digest: str = ""
    model: str = ""
    estimate: QueueEstimate | None = None
    failure: ApiError | None = None
    native_reached: bool = False
    asks_for_key: bool = False
    dialect: Dialect = OPENAI
    endpoint: str = ""
    client_secret: ClientSecret | None = None
    session: SessionStats | None = None


def context_of(of: Scope | Request) -> RequestContext:
    """The request's context; the first call, by the outermost middleware, makes it.

    It lies in ASGI's `state`, which copies of the scope share, as BentoML's endpoints do.
    """
    scope = of.scope if isinstance(of, Request) else of
    state = scope.setdefault("state", {})
    if _KEY not in state:
        state[_KEY] = RequestContext()
    context = state[_KEY]
    assert isinstance(context, RequestContext)
    return context


def request_label(of: Scope | Request) -> str:
    """A request by its id and path, for the log."""
    scope = of.scope if isinstance(of, Request) else of
    return f"Request {context_of(scope).id} ({scope['path']})"
