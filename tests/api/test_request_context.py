"""Tests of the request context: one for each request, and the only thing kept in ASGI's state."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.types import Scope

from api.request_context import context_of, request_label

API = Path(__file__).parent.parent.parent / "api"


def scope() -> Scope:
    """A request as a server hands it over."""
    return {"type": "http", "path": "/x", "headers": [], "state": {"of the lifespan": 1}}


def test_request_has_one_context() -> None:
    request = scope()
    context = context_of(request)
    context.model = "base"

    assert context_of(request) is context
    assert context_of(Request(request)) is context
    # As middleware does, to change the path or the headers.
    assert context_of({**request, "path": "/y"}) is context


def test_requests_have_contexts_of_their_own() -> None:
    contexts = [context_of(scope()), context_of(scope()), context_of({"type": "http"})]

    assert len({context.id for context in contexts}) == 3
    assert all(re.fullmatch("req_[0-9a-f]{32}", context.id) for context in contexts)
    assert len({id(context.stats) for context in contexts}) == 3


def test_label_for_the_log() -> None:
    request = scope()

    assert request_label(request) == f"Request {context_of(request).id} (/x)"


def test_state_has_no_other_keys() -> None:
    keyed = re.compile(r"""["']state["']\s*[\],)]|request\.state|scope\.state""")
    files = [path for path in API.rglob("*.py") if keyed.search(path.read_text("utf-8"))]

    # Of the meters it is the label of a metric.
    assert {path.name for path in files} == {"request_context.py", "meters.py", "job_meters.py"}
