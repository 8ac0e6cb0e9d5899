"""The realtime API on a real socket, over scripted sessions, and a client of it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from api.app import create_app
from api.client_secrets import ClientSecrets
from api.dialects.enabled import enabled
from api.middleware.draining import Drain
from api.middleware.socket_protocol import SocketProtocol
from api.middleware.stack import MiddlewareStack, Sockets
from api.middleware.timed_headers import TimedHeaders
from api.realtime.endpoint import Limits, Realtime
from api.realtime.routes import SecretRoutes
from api.settings import Settings
from api.telemetry.metrics import Metrics
from api.telemetry.observe import Observed
from models.live.live_options import LiveOptions
from tests.api.fake import served
from tests.api.realtime.scripted import ScriptedSession
from tests.server import listening

PATH = "/v1/realtime"
SECONDS = 120
Json = dict[str, Any]


def audio_of(milliseconds: int) -> bytes:
    """Silence, as 24,000 samples a second."""
    return bytes(48 * milliseconds)


def append(audio: bytes) -> Json:
    """The event with this audio."""
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(audio).decode()}


COMMIT: Json = {"type": "input_audio_buffer.commit"}
CLEAR: Json = {"type": "input_audio_buffer.clear"}


def update(**session: object) -> Json:
    """The event that changes this of a session."""
    return {"type": "session.update", "session": {"type": "transcription", **session}}


def update_input(**changes: object) -> Json:
    """The event that changes this of `session.audio.input`."""
    return update(audio={"input": changes})


class Client:
    """A raw client: JSON out, JSON in."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def request_id(self) -> str:
        """The id in the answer to its handshake."""
        assert self.connection.response
        return self.connection.response.headers["x-request-id"]

    def say(self, *events: Json | str | bytes) -> None:
        """Send events, or what is none."""
        for event in events:
            text = event if isinstance(event, (str, bytes)) else json.dumps(event)
            self.connection.send(text)

    def hear(self) -> Json:
        """The next event."""
        found: Json = json.loads(self.connection.recv(SECONDS))
        return found

    def hear_until(self, kind: str) -> list[Json]:
        """Every event up to the first of this type."""
        heard = [self.hear()]
        while heard[-1]["type"] != kind:
            heard.append(self.hear())
        return heard

    def ask(self, event: Json | str | bytes) -> Json:
        """The next event after this one was sent."""
        self.say(event)
        return self.hear()


@dataclass
class Running:
    """A server of the realtime API: `sessions` are all that were ever opened."""

    url: str
    app: MiddlewareStack
    metrics: Metrics
    drain: Drain
    sessions: list[ScriptedSession]
    observed: list[Observed]
    loops: list[asyncio.AbstractEventLoop]

    @contextmanager
    def client(
        self,
        query: str = "",
        *,
        path: str = PATH,
        headers: Mapping[str, str] | None = None,
        protocols: Sequence[str] = (),
        **options: Any,
    ) -> Iterator[Client]:
        """A connection that is open."""
        offered = [Subprotocol(each) for each in protocols]
        with connect(
            f"{self.url.replace('http', 'ws', 1)}{path}{query}",
            additional_headers=headers,
            subprotocols=offered or None,
            compression=None,
            **options,
        ) as connection:
            yield Client(connection)

    def refusal(self, query: str = "", **options: Any) -> tuple[int, Mapping[str, str], Json]:
        """Status, headers and error of a handshake that is refused."""
        try:
            with self.client(query, **options):
                raise AssertionError("It was accepted.")
        except InvalidStatus as refused:
            response = refused.response
        assert response.headers["content-type"] == "application/json"
        body: Json = json.loads(response.body or b"")
        assert list(body) == ["error"]
        return response.status_code, response.headers, body["error"]

    def do(self, action: Callable[[], object]) -> None:
        """Do something in the server's loop."""

        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self.loops[0]).result(SECONDS)

    def last(self) -> Observed:
        """What was observed of the only session, once it has ended."""
        wait_for(lambda: bool(self.observed))
        return self.observed[-1]

    def of(self, client: Client) -> Observed:
        """What was observed of this client's session, once it has ended."""

        def found() -> list[Observed]:
            return [each for each in self.observed if each.request_id == client.request_id]

        wait_for(lambda: bool(found()))
        return found()[0]


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def running(
    *names: str,
    limits: Limits | None = None,
    loaded: bool = True,
    script: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """A server with these models, limits and settings; `script` is for its sessions."""
    made = Settings(**settings)
    secrets, metrics, drain = ClientSecrets(b"k" * 32), Metrics(), Drain(5)
    limits = limits or Limits(10, 3600, "medium")
    dialects = enabled(made)
    app = create_app("1.2.3", SecretRoutes(secrets, limits.delay).routes(), dialects)
    app.state.registry = served(*(names or ("base", "tiny.en")))
    realtime = Realtime(app.state, limits, drain, metrics.realtime)
    sessions: list[ScriptedSession] = []

    def open_live(options: LiveOptions) -> ScriptedSession:
        sessions.append(ScriptedSession(options, **(script or {})))
        return sessions[-1]

    if loaded:
        realtime.begin(open_live)
    observed: list[Observed] = []
    loops: list[asyncio.AbstractEventLoop] = []
    stack = MiddlewareStack(
        app, made, drain, [observed.append], dialects, Sockets(realtime, secrets)
    )

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        if not loops:
            loops.append(asyncio.get_running_loop())
        await stack(scope, receive, send)

    with listening(noted, http=TimedHeaders, ws=SocketProtocol) as url:
        yield Running(url, stack, metrics, drain, sessions, observed, loops)


def model_of(server: Running, query: str = "", **options: Any) -> str:
    """The model of a session that is opened so."""
    with server.client(query, **options) as client:
        created = client.hear()
    assert created["type"] == "session.created"
    return str(created["session"]["audio"]["input"]["transcription"]["model"])
