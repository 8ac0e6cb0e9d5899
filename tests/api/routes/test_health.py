"""Tests of the limits that /health tells."""

from __future__ import annotations

import pytest

from api.keys import key_digest
from api.settings import Settings
from tests.api.fake import client
from tests.wire.promises import promises

MIB = 1024 * 1024
KEY = "a-key-of-the-tests"


@promises(
    "Headers and transport",
    "`/health` has the `limits` of a request: `upload_bytes` and `audio_seconds`, null: none",
    "extension",
)
@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        (Settings(), {"upload_bytes": 25 * MIB, "audio_seconds": 43_200}),
        (
            Settings(max_upload_mib=3, max_audio_seconds=60),
            {"upload_bytes": 3 * MIB, "audio_seconds": 60},
        ),
        (
            Settings(max_upload_mib=0, max_audio_seconds=0),
            {"upload_bytes": None, "audio_seconds": None},
        ),
    ],
)
def test_limits(settings: Settings, limits: dict[str, int | None]) -> None:
    assert client(settings=settings).get("/health").json()["limits"] == limits


def test_limits_are_for_clients_with_a_key() -> None:
    app = client(settings=Settings(api_keys=(key_digest(KEY),), max_upload_mib=3))

    assert "limits" not in app.get("/health").json()
    answer = app.get("/health", headers={"api-key": KEY})
    assert answer.json()["limits"]["upload_bytes"] == 3 * MIB


def test_upload_limit_told_is_the_one_kept_to() -> None:
    app = client(settings=Settings(max_upload_mib=1))
    told = app.get("/health").json()["limits"]["upload_bytes"]

    for size, is_too_large in ((told, False), (told + 1, True)):
        answer = app.post("/v1/audio/transcriptions", content=bytes(size))
        assert (answer.status_code == 413) is is_too_large
