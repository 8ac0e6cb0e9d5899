"""Tests of model ids."""

from __future__ import annotations

import pytest

from models.errors import ModelNotFoundError
from tests.api.fake import served


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("whisper-1", "base"),
        ("base", "base"),
        ("whisper-base", "base"),
        ("openai/whisper-base", "base"),
        ("openai/whisper-1", "base"),
        ("turbo", "large-v3-turbo"),
        ("whisper-large-v3-turbo", "large-v3-turbo"),
        ("mine", "mine"),
        ("whisper-mine", "mine"),
    ],
)
def test_find(model_id: str, name: str) -> None:
    assert served("base", "large-v3-turbo", "mine").find(model_id).name == name


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("gpt-4o-transcribe", "base"),
        ("openai/gpt-4o-mini-transcribe-2025-12-15", "base"),
        ("whisper-small", "base"),
        ("Systran/faster-whisper-large-v3", "base"),
        ("distil-whisper-large-v3-en", "base"),
        ("whisper-large-v3-turbo", "large-v3-turbo"),
        ("deepdml/faster-whisper-large-v3-turbo-ct2", "large-v3-turbo"),
        ("distil-whisper/distil-small.en", "distil-small.en"),
    ],
)
def test_find_by_a_name_that_is_known_elsewhere(model_id: str, name: str) -> None:
    models = served("base", "large-v3-turbo", "distil-small.en")

    assert models.find(model_id).name == name
    assert model_id not in models.ids() or name == "large-v3-turbo"


def test_find_alias_before_what_the_name_means_elsewhere() -> None:
    ids = ("gpt-4o-transcribe", "whisper-small", "whisper-1", "openai/whisper-base")
    models = served("base", "tiny.en", aliases=dict.fromkeys(ids, "tiny.en"))

    assert [models.find(model_id).name for model_id in ids] == ["tiny.en"] * len(ids)


@pytest.mark.parametrize(
    "model_id",
    ["", "default", "tiny", "large-v3", "distil-large-v3", "gpt-4o", "whisper-2", "BASE", "base "],
)
def test_find_unknown(model_id: str) -> None:
    with pytest.raises(ModelNotFoundError, match=f"The model '{model_id}' does not exist"):
        served("base").find(model_id)


def test_ids() -> None:
    assert served("base", "large-v3-turbo", "mine").ids() == [
        "whisper-1",
        "base",
        "whisper-base",
        "large-v3-turbo",
        "whisper-large-v3-turbo",
        "turbo",
        "mine",
        "whisper-mine",
    ]


def test_ids_are_all_found() -> None:
    models = served("large-v3", "tiny.en", "mine")
    assert [models.find(model_id).name for model_id in models.ids()] == [
        *["large-v3"] * 4,
        *["tiny.en"] * 2,
        *["mine"] * 2,
    ]


def test_served_models_none() -> None:
    with pytest.raises(ValueError, match="at least one model"):
        served()
