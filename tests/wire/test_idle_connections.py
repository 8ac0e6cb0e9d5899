"""Connections that clients keep for their next request."""

from __future__ import annotations

import time

import httpx

from tests.server import Server
from tests.wire.http import SECONDS
from tests.wire.promises import promises

# uvicorn's own limit is 5.
IDLE_SECONDS = 7


@promises("Headers and transport", "a connection stays open between requests")
def test_idle_connection_is_used_again(guarded: Server) -> None:
    with httpx.Client(limits=httpx.Limits(keepalive_expiry=None), timeout=SECONDS) as client:
        ports = set()
        for pause in (0, IDLE_SECONDS):
            time.sleep(pause)
            answer = client.get(f"{guarded.url}/livez")
            assert answer.status_code == 200
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))

    assert len(ports) == 1
