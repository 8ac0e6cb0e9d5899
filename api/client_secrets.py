"""Client secrets: keys for a web page or an app, which open live sessions for some minutes.

A secret is a signed value that carries what it stands for, as RFC 7519 has it for tokens: nothing
is kept of it, so that millions of them cost nothing, and every worker of a server knows those of
the others. The signature's key is new at each start, and no secret outlives it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from api.errors import ApiError

PREFIX = "ek_"
MIN_SECONDS, DEFAULT_SECONDS, MAX_SECONDS = 10, 600, 7200
# It must fit into a header's line, of which WebSocket servers take 8 KiB.
MAX_CHARACTERS = 6000
# More than that is no session's, however well it is packed.
_MAX_UNPACKED = 256 * 1024
_SIGNATURE_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class ClientSecret:
    """What a secret stands for: whose key made it, its session, and its end in Unix seconds."""

    key_name: str
    session: Mapping[str, Any]
    expires_at: int


class ClientSecrets:
    """Makes client secrets and reads them; those of another `signing_key` are unknown to it."""

    def __init__(self, signing_key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = signing_key, clock

    def make(self, key_name: str, session: Mapping[str, Any], seconds: int) -> tuple[str, int]:
        """A new secret that is good for so many seconds, and its end.

        Raises:
            ApiError: the session's configuration is too long for it.
        """
        expires_at = int(self._clock()) + seconds
        unpacked = json.dumps([key_name, expires_at, session]).encode()
        packed = zlib.compress(unpacked)
        value = PREFIX + base64.urlsafe_b64encode(self._sign(packed) + packed).decode().rstrip("=")
        if len(value) > MAX_CHARACTERS or len(unpacked) > _MAX_UNPACKED:
            message = "The session's configuration is too long for a client secret."
            raise ApiError(message, param="session", code="invalid_value")
        return value, expires_at

    def find(self, value: str) -> ClientSecret | None:
        """What a secret stands for; None: it is not one of ours, or it is over."""
        packed = self._verified(value)
        if packed is None:
            return None
        unpacked = zlib.decompressobj().decompress(packed, _MAX_UNPACKED)
        key_name, expires_at, session = json.loads(unpacked)
        if expires_at <= self._clock():
            return None
        return ClientSecret(key_name, session, expires_at)

    def _verified(self, value: str) -> bytes | None:
        encoded = value.removeprefix(PREFIX)
        try:
            data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
        except ValueError:
            return None
        signature, packed = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
        return packed if hmac.compare_digest(signature, self._sign(packed)) else None

    def _sign(self, packed: bytes) -> bytes:
        return hmac.digest(self._key, packed, "sha256")
