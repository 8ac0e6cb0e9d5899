"""Tests of the names that hosted services and Hugging Face have for Whisper."""

from __future__ import annotations

import pytest

from models.checkpoints.public_names import is_hosted_model, is_live_model, public_checkpoint

HOSTED = [
    "whisper-1",
    "whisper",
    "gpt-4o-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-03-20",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
    "openai/gpt-4o-transcribe",
]


@pytest.mark.parametrize("model_id", HOSTED)
def test_hosted_model(model_id: str) -> None:
    assert is_hosted_model(model_id)
    assert public_checkpoint(model_id) is None


def test_live_models_are_two_of_them() -> None:
    assert [each for each in HOSTED if is_live_model(each)] == [
        "gpt-live-transcribe",
        "gpt-realtime-whisper",
    ]
    assert is_live_model("openai/gpt-live-transcribe")


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "gpt-4o",
        "gpt-4o-mini-tts",
        "gpt-4o-transcribe-2025",
        "whisper-2",
        "whisper-1\n",
        "WHISPER-1",
        "azure/whisper-1",
        "base",
    ],
)
def test_not_a_hosted_model(model_id: str) -> None:
    assert not is_hosted_model(model_id)


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("whisper-large-v3", "large-v3"),
        ("whisper-large-v3-turbo", "large-v3-turbo"),
        ("distil-whisper-large-v3-en", "distil-large-v3"),
        ("whisper-small", "small"),
        ("whisper-large", "large-v3"),
        ("openai/whisper-base", "base"),
        ("openai/whisper-tiny.en", "tiny.en"),
        ("Systran/faster-whisper-tiny.en", "tiny.en"),
        ("Systran/faster-whisper-large-v1", "large-v1"),
        ("Systran/faster-distil-whisper-large-v3", "distil-large-v3"),
        ("guillaumekln/faster-whisper-medium", "medium"),
        ("deepdml/faster-whisper-large-v3-turbo-ct2", "large-v3-turbo"),
        ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", "large-v3-turbo"),
        ("mlx-community/whisper-base-mlx", "base"),
        ("distil-whisper/distil-medium.en", "distil-medium.en"),
        ("distil-whisper/distil-large-v3.5-ct2", "distil-large-v3.5"),
    ],
)
def test_public_checkpoint(model_id: str, name: str) -> None:
    assert public_checkpoint(model_id) == name


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "tiny",
        "distil-large-v3",
        "faster-large-v3",
        "whisper-",
        "whisper-large-v4",
        "distil-whisper-tiny",
        "someone/whisper-large-v3",
        "openai/whisper-large-v3/x",
        "whisper-large-v3-german",
    ],
)
def test_not_a_public_checkpoint(model_id: str) -> None:
    assert public_checkpoint(model_id) is None
