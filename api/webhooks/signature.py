"""Signatures of webhooks, as Standard Webhooks and OpenAI's SDKs have them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence


def signature_headers(
    secrets: Sequence[bytes], event_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers of an event at a time in Unix seconds, with a signature by each secret."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digests = [hmac.digest(secret, signed, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{b64encode(each).decode()}" for each in digests),
    }
