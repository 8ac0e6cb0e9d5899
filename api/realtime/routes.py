"""POST /v1/realtime/client_secrets, and the same in the beta shape; GET without an upgrade."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from api.client_secrets import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS, ClientSecrets
from api.errors import ApiError
from api.openapi.described_route import DescribedRoute
from api.realtime.beta import flat_error, flat_session, nested
from api.realtime.described import client_secret, upgrade
from api.realtime.items import new_id
from api.realtime.session_fields import TranscriptionSession
from api.realtime.session_merge import dotted
from api.realtime.session_object import Defaults, SessionObject
from api.request_context import context_of
from api.requests.model_registry import registry_of
from models.live.live_options import Delay

_PREFIX = "/v1/realtime"
_OTHER_PREFIXES = ("/realtime", "/openai/realtime", "/openai/v1/realtime")


class _Lifetime(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Field(ge=MIN_SECONDS, le=MAX_SECONDS)] = DEFAULT_SECONDS


class _SecretRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    expires_after: _Lifetime | None = None
    session: dict[str, Any] | None = None


class _DescribedRequest(BaseModel):
    """What a client secret is for; all of it may be left out."""

    # For the document: a session is checked by itself, so that its errors are those of updates.
    model_config = ConfigDict(extra="forbid")

    expires_after: _Lifetime | None = None
    session: TranscriptionSession | None = None


class SecretRoutes:
    """Makes client secrets; sessions have this delay unless they are told another."""

    def __init__(self, secrets: ClientSecrets, delay: Delay) -> None:
        self._secrets, self._delay = secrets, delay

    def routes(self) -> list[BaseRoute]:
        """The routes, at every path of the API; those of the first one are described."""
        described = client_secret(_DescribedRequest)
        found: list[BaseRoute] = [
            DescribedRoute(_PREFIX, _upgrade_required, upgrade()),
            DescribedRoute(f"{_PREFIX}/client_secrets", self.make, described),
        ]
        for prefix in _OTHER_PREFIXES:
            found += [
                Route(prefix, _upgrade_required),
                Route(f"{prefix}/client_secrets", self.make, methods=["POST"]),
            ]
        for prefix in (_PREFIX, *_OTHER_PREFIXES):
            path = f"{prefix}/transcription_sessions"
            found.append(Route(path, self.make_beta, methods=["POST"]))
        return found

    async def make(self, request: Request) -> Response:
        """A secret, its end, and the session that it opens."""
        asked = _checked(await _json_body(request))
        lifetime = asked.expires_after or _Lifetime()
        session = self._session(request, asked.session or {})
        value, expires_at = self._secret(request, session, lifetime.seconds)
        shown = session.shown(new_id("sess"), expires_at)
        return JSONResponse({"value": value, "expires_at": expires_at, "session": shown})

    async def make_beta(self, request: Request) -> Response:
        """The flat session object, with its secret in it."""
        body = dict(await _json_body(request))
        wanted = body.pop("client_secret", None) or {}
        if not isinstance(wanted, dict) or not wanted.keys() <= {"expires_at", "expires_after"}:
            message = "Invalid value for 'client_secret'."
            raise ApiError(message, param="client_secret", code="invalid_value")
        lifetime = wanted.get("expires_after") or wanted.get("expires_at")
        asked = _checked({"expires_after": lifetime} if lifetime else {})
        try:
            session = self._session(request, nested(body))
        except ApiError as error:
            raise flat_error(error) from None
        seconds = (asked.expires_after or _Lifetime()).seconds
        value, expires_at = self._secret(request, session, seconds)
        secret = {"value": value, "expires_at": expires_at}
        flat = flat_session(session.shown(new_id("sess"), expires_at))
        return JSONResponse({**flat, "client_secret": secret})

    def _session(self, request: Request, asked: Mapping[str, Any]) -> SessionObject:
        registry = registry_of(request)
        session = SessionObject(Defaults(registry.default.name, self._delay)).updated(asked)
        session.live_options(lambda model: registry.find(model).name)
        return session

    def _secret(self, request: Request, session: SessionObject, seconds: int) -> tuple[str, int]:
        return self._secrets.make(context_of(request).key_name, session.asked, seconds)


async def _upgrade_required(request: Request) -> Response:
    message = "This is a WebSocket: a proxy in between must let its upgrade pass."
    headers = {"upgrade": "websocket"}
    raise ApiError(message, status=HTTPStatus.UPGRADE_REQUIRED, headers=headers)


async def _json_body(request: Request) -> Mapping[str, Any]:
    """The body, which may be left out.

    Raises:
        ApiError: it is no JSON object.
    """
    body = await request.body()
    try:
        found = from_json(body, allow_inf_nan=False) if body.strip() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("The body must be a JSON object.", code="invalid_value")
    return found


def _checked(body: Mapping[str, Any]) -> _SecretRequest:
    try:
        return _SecretRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    param = dotted("", first["loc"], body).removeprefix(".")
    if first["type"] == "extra_forbidden":
        raise ApiError(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    message = f"Invalid value for '{param}': {first['msg']}."
    raise ApiError(message, param=param, code="invalid_value")
