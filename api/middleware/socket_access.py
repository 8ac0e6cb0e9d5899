"""Authentication of WebSockets: an API key, or a client secret, which opens nothing else."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from api.client_secrets import PREFIX, ClientSecrets
from api.errors import ApiError
from api.keys import KeyRing
from api.middleware.access import key_in, key_refusal
from api.middleware.guard import Guard
from api.request_context import context_of

# As browsers send a key, which can set no header (OpenAI's SDK for JavaScript).
KEY_PROTOCOL = "openai-insecure-api-key."


class RequireSocketKey(Guard):
    """Middleware: 401 before the upgrade for a WebSocket without one of the keys.

    A key comes in a header, as over HTTP, or else in the list of sub-protocols. A client secret
    counts as the key it was made with; one that is not good is refused by an open server, too, as
    it stands for a session's configuration.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing, secrets: ClientSecrets) -> None:
        super().__init__(app)
        self.keys, self.secrets = keys, secrets

    def refusal(self, scope: Scope) -> ApiError | None:
        """401 for a key that is missing or unknown, and for a secret that is over."""
        context = context_of(scope)
        key = key_in(Headers(scope=scope)) or _offered_key(scope["subprotocols"])
        secret = self.secrets.find(key) if key.startswith(PREFIX) else None
        if secret and (self.keys.is_open or self.keys.has_name(secret.key_name)):
            context.client_secret, context.key_name = secret, secret.key_name
            return None
        if self.keys.is_open and not key.startswith(PREFIX):
            return None
        return key_refusal(self.keys, key, context)


def _offered_key(sub_protocols: list[str]) -> str:
    """The key among the sub-protocols; empty: there is none."""
    keys = [each for each in sub_protocols if each.startswith(KEY_PROTOCOL)]
    return keys[0].removeprefix(KEY_PROTOCOL) if keys else ""
