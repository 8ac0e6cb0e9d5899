"""Signatures: verified by Standard Webhooks' library and by OpenAI's SDK."""

from __future__ import annotations

import time

import openai
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api.settings import Settings
from api.webhooks.signature import signature_headers
from api.webhooks.webhook_config import webhook_config
from tests.receiver import SECRET
from tests.wire.promises import promises

BODY = '{"text":"naïve"}'.encode()
OTHER = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


def headers(secrets: str, seconds: int = 0) -> dict[str, str]:
    environ = {"WHISPER_WEBHOOK_HOSTS": "example.org", "WHISPER_WEBHOOK_SECRET": secrets}
    config = webhook_config(Settings.from_environ(environ))
    assert config
    return signature_headers(config.secrets, "evt_1", int(time.time()) + seconds, BODY)


@promises(
    "Background jobs",
    "Webhooks are signed as by Standard Webhooks: its library and OpenAI's SDK verify them, with "
    "the old secret and the new one while both are set",
    "extension",
)
@pytest.mark.parametrize("secrets", [SECRET, f"{SECRET},{OTHER}", f"{OTHER} {SECRET}"])
def test_signature_is_verified(secrets: str) -> None:
    found = headers(secrets)
    Webhook(SECRET).verify(BODY, found)
    client = openai.OpenAI(api_key="unused", webhook_secret=SECRET)
    client.webhooks.verify_signature(BODY.decode(), found)


@pytest.mark.parametrize("what", ["body", "id", "secret", "old"])
def test_signature_of_something_else_is_not(what: str) -> None:
    found = headers(OTHER if what == "secret" else SECRET, -600 if what == "old" else 0)
    if what == "id":
        found["webhook-id"] = "evt_2"
    body = BODY + b" " if what == "body" else BODY
    client = openai.OpenAI(api_key="unused", webhook_secret=SECRET)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body.decode(), found)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, found)
