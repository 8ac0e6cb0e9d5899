"""A receiver of webhooks, which answers as it is told to."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.certificates import Certificate

# Beyond which something hangs, on a machine with other work, too.
LONGEST_SECONDS = 300
# As an operator makes one: whsec_ and 32 bytes in base64.
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@dataclass(frozen=True)
class Delivery:
    """A request as it came; the names of its headers are in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """What its body says."""
        event = json.loads(self.body)
        assert isinstance(event, dict)
        return event


@dataclass
class Receiver:
    """What came, and what is answered: the `statuses` in their order, then 200.

    While `gate` is not set, requests wait for their answers.
    """

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    location: str = ""
    answer: bytes = b"ok"
    deliveries: list[Delivery] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    came: threading.Condition = field(default_factory=threading.Condition)

    def url(self, path: str = "/hook") -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def take(self, delivery: Delivery) -> int:
        """Note a request; the status to answer."""
        with self.came:
            self.deliveries.append(delivery)
            status = self.statuses.pop(0) if self.statuses else 200
            self.came.notify_all()
        return status

    def told_of(self, job_id: str) -> Delivery:
        """The request about a job, once it is there."""
        with self.came:
            is_there = self.came.wait_for(lambda: self._of(job_id), LONGEST_SECONDS)
            assert is_there, self.deliveries
            return self._of(job_id)[0]

    def _of(self, job_id: str) -> list[Delivery]:
        return [each for each in self.deliveries if each.event["data"]["id"] == job_id]

    def until(self, count: int) -> list[Delivery]:
        """The requests, once there are so many."""
        with self.came:
            is_there = self.came.wait_for(lambda: len(self.deliveries) >= count, LONGEST_SECONDS)
            assert is_there, self.deliveries
            return list(self.deliveries)


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        """Answer a webhook."""
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.receiver.take(Delivery(self.path, headers, body))
        self.receiver.gate.wait(LONGEST_SECONDS)
        self.send_response(status)
        if self.receiver.location:
            self.send_header("location", self.receiver.location)
        self.send_header("content-length", str(len(self.receiver.answer)))
        self.end_headers()
        self.wfile.write(self.receiver.answer)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    # Whoever sends a webhook may have gone by the time of the answer.
    def handle_error(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that takes no connections and that the system gives to nobody else.

    A receiver may still be made on it.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def receiving(port: int = 0, certificate: Certificate | None = None) -> Iterator[Receiver]:
    """A receiver on 127.0.0.1, on any free port or on this one; over TLS with a certificate."""
    receiver = Receiver()
    receiver.gate.set()
    handler = type("_Handler", (_Handler,), {"receiver": receiver})
    with _Server(("127.0.0.1", port), handler) as server:
        receiver.port = server.server_port
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate.path, certificate.key)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.gate.set()
            server.shutdown()
            thread.join()
