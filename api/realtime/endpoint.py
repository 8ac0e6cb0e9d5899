"""The WebSocket `/v1/realtime`: the handshake, which may refuse, and the session after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from starlette.datastructures import Headers, QueryParams, State
from starlette.types import Receive, Scope, Send

from api.error_response import ErrorResponse
from api.errors import ApiError, known_or_internal
from api.middleware.draining import Drain, shutting_down
from api.realtime.beta import speaks_beta
from api.realtime.conversation import Conversation
from api.realtime.live import OpenSession, Session
from api.realtime.observation import Observation
from api.realtime.sending import Outbox, SlowClientError
from api.realtime.server_events import error_event
from api.realtime.session import FAILED, GOING_AWAY, INTERNAL_ERROR, STOPPED, RealtimeSession
from api.realtime.session_object import Defaults, SessionObject
from api.request_context import context_of, request_label
from api.requests.model_registry import registry_in, still_loading
from api.telemetry.realtime_meters import RealtimeMeters
from models.capacity.session_places import SessionPlaces
from models.live.live_options import Delay, LiveOptions

SUB_PROTOCOL = "realtime"
_INTENTS = ("", "transcription")


@dataclass(frozen=True)
class Limits:
    """What sessions may take: how many there may be, how long one lasts; and the usual delay."""

    sessions: int
    seconds: int
    delay: Delay


@dataclass(frozen=True)
class Opening:
    """What a handshake asks for."""

    session: SessionObject
    options: LiveOptions
    open_live: OpenSession
    find: Callable[[str], str]


class Realtime:
    """ASGI app of the sockets: a live session for each, or a refusal before the upgrade.

    `state` is that of the HTTP app, which has the model registry once it is there; sessions are
    opened from `begin` on.
    """

    def __init__(self, state: State, limits: Limits, drain: Drain, meters: RealtimeMeters) -> None:
        self._state, self.limits, self._drain, self._meters = state, limits, drain, meters
        self._places = SessionPlaces(limits.sessions)
        self._open_live: OpenSession | None = None

    def begin(self, open_live: OpenSession) -> None:
        """Open live sessions with this from now on."""
        self._open_live = open_live

    def defaults(self, model_id: str) -> Defaults:
        """What a session with this model has unless it is told otherwise."""
        return Defaults(model_id, self.limits.delay)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the handshake, or hold the session."""
        with ExitStack() as held:
            try:
                opening = self._opening(scope)
                held.enter_context(self._places.place(context_of(scope).key_name))
            except Exception as error:  # noqa: BLE001 - of whatever kind, the client hears of it
                refused = known_or_internal(error, request_label(scope))
                await ErrorResponse(refused)(scope, receive, send)
                return
            await self._hold(opening, scope, receive, send)

    def _opening(self, scope: Scope) -> Opening:
        """What is asked for, if it can be served now.

        Raises:
            WhisperError: it cannot.
        """
        query = QueryParams(scope["query_string"])
        if self._drain.has_begun:
            raise shutting_down()
        if self._open_live is None:
            raise still_loading()
        if call := query.get("call_id"):
            message = f"There is no call '{call[:100]}': this server has no WebRTC."
            raise ApiError(message, status=404, param="call_id")
        if (intent := query.get("intent", "")) not in _INTENTS:
            message = f"intent must be transcription, not '{intent[:100]}'."
            raise ApiError(message, param="intent", code="invalid_value")
        registry, secret = registry_in(self._state), context_of(scope).client_secret
        model_id = query.get("model") or query.get("deployment") or registry.default.name

        def find(wanted: str) -> str:
            return registry.find(wanted).name

        find(model_id)
        session = SessionObject(self.defaults(model_id)).updated(secret.session if secret else {})
        options = session.live_options(find)
        return Opening(session, options, self._open_live, find)

    async def _hold(self, opening: Opening, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept the handshake, and run the session to its end."""
        context, outbox = context_of(scope), Outbox(send)
        observation = Observation(self._meters, context)
        context.model = opening.options.model or ""
        await receive()
        sub_protocol = SUB_PROTOCOL if SUB_PROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": sub_protocol})
        self._meters.sessions.inc()
        try:
            async with (
                self._drain.running() as end,
                observation.whole(opening.open_live(opening.options)) as live,
            ):
                conversation = self._conversation(opening, live, scope)
                session = RealtimeSession(receive, outbox, live, conversation, observation)
                closing = await session.run(self.limits.seconds, self._drain.begins())
                if closing and closing.code != GOING_AWAY:
                    context.failure = closing.error
        except Exception as error:  # noqa: BLE001 - of whatever kind, the client hears of it
            if isinstance(error, TimeoutError) and end.expired():
                with suppress(OSError, SlowClientError):
                    await outbox.close(GOING_AWAY, STOPPED)
            else:
                context.failure = await _failed(error, outbox)
        finally:
            self._meters.sessions.dec()

    def _conversation(self, opening: Opening, live: Session, scope: Scope) -> Conversation:
        return Conversation(
            live,
            opening.session,
            opening.find,
            int(time.time()) + self.limits.seconds,
            is_beta=speaks_beta(Headers(scope=scope), scope["subprotocols"]),
        )


async def _failed(error: Exception, outbox: Outbox) -> ApiError:
    """Tell the client of a fault outside its session's tasks, and close."""
    known = known_or_internal(error, "A realtime session")
    # A connection that is closed already takes nothing.
    with suppress(OSError, SlowClientError, RuntimeError):
        await outbox.send(error_event(known))
        await outbox.close(INTERNAL_ERROR, FAILED)
    return known
