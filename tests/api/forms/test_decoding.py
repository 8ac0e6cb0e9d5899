"""The fields that say how to decode: chunking, languages, words to expect, guards."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from models.options import TranscribeOptions, VoiceOptions
from tests.api.fake import TRANSLATIONS
from tests.api.routes.test_transcriptions import error_of, options_of

DEFAULT = TranscribeOptions()
VAD = {"type": "server_vad", "threshold": 0.6, "prefix_padding_ms": 10, "silence_duration_ms": 400}
QUIET = VoiceOptions(threshold=0.6, prefix_padding_ms=10, silence_duration_ms=400)


@pytest.mark.parametrize(("given", "strategy"), [("auto", "auto"), ("sequential", "sequential")])
def test_chunking_by_name(given: str, strategy: str) -> None:
    assert options_of(chunking_strategy=given).strategy == strategy


@pytest.mark.parametrize(
    "fields",
    [
        {"chunking_strategy": json.dumps(VAD)},
        {"chunking_strategy": f" {json.dumps(VAD)} "},
        {f"chunking_strategy[{name}]": str(value) for name, value in VAD.items()},
    ],
)
def test_chunking_server_vad(fields: dict[str, str]) -> None:
    assert options_of(**fields) == replace(DEFAULT, strategy="parallel", voice=QUIET)


def test_chunking_server_vad_defaults() -> None:
    fields = {"chunking_strategy[type]": "server_vad"}
    assert options_of(**fields) == replace(DEFAULT, strategy="parallel")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("fast", "chunking_strategy='fast': Input should be 'auto' or 'sequential'"),
        (
            '{"type": "server_vad", "threshold": 2}',
            "chunking_strategy.threshold=2: Input should be less than or equal to 1",
        ),
        (
            '{"type": "semantic_vad"}',
            "chunking_strategy.type='semantic_vad': Input should be 'server_vad'",
        ),
        ('{"threshold": 0.5}', "The field 'chunking_strategy.type' is missing."),
        (
            '{"type": "server_vad", "prefix_padding_ms": "NaN"}',
            "chunking_strategy.prefix_padding_ms='NaN': Input should be a valid integer",
        ),
        ('{"type":', "chunking_strategy='{\"type\":': Value error, not valid JSON: "),
        ('{"type":' * 50_000, 'chunking_strategy=\'{"type":'),
    ],
)
def test_chunking_error(given: str, message: str) -> None:
    detail = error_of(chunking_strategy=given)
    assert detail["message"].startswith(message)
    assert detail["param"] == "chunking_strategy"


@pytest.mark.parametrize("name", ["languages", "languages[]"])
def test_languages(name: str) -> None:
    assert options_of(**{name: "en, German,pt-BR"}).languages == ("en", "de", "pt")


def test_languages_in_other_words() -> None:
    options = options_of(**{"languages[]": "nb, no, zh-TW, Deutsch, sr-Latn"})
    assert options.languages == ("no", "zh", "de", "sr")
    assert options.scripts == ("Hant-TW", "Latn")


@pytest.mark.parametrize("given", ["auto", "en,auto", "und"])
def test_languages_to_detect(given: str) -> None:
    assert options_of(**{"languages[]": given}).languages == ()


def test_languages_unknown() -> None:
    detail = error_of(**{"languages[]": "en,klingon"})
    assert (detail["param"], detail["code"]) == ("languages", "invalid_language_format")


def test_languages_without_the_language() -> None:
    detail = error_of(language="fr", **{"languages[]": "en,de"})
    assert (detail["param"], detail["code"]) == ("languages", "invalid_value")


@pytest.mark.parametrize("name", ["keywords", "keywords[]", "hotwords"])
def test_keywords(name: str) -> None:
    assert options_of(**{name: "Kubernetes, BentoML"}).keywords == ("Kubernetes", "BentoML")


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", TRANSLATIONS])
def test_thresholds(path: str) -> None:
    options = options_of(
        path,
        compression_ratio_threshold="1.5",
        logprob_threshold="-0.5",
        no_speech_threshold="none",
        drop_logprob_threshold="None",
        loop_threshold="none",
    )
    assert options.compression_ratio_threshold == 1.5
    assert options.logprob_threshold == -0.5
    assert options.no_speech_threshold is None
    assert options.drop_logprob_threshold is None
    assert options.loop_threshold is None
    assert options_of(path, loop_threshold="2.5").loop_threshold == 2.5
    assert options_of(path).loop_threshold == TranscribeOptions().loop_threshold


@pytest.mark.parametrize("given", ["nan", "inf", "low"])
def test_threshold_error(given: str) -> None:
    assert error_of(logprob_threshold=given)["param"] == "logprob_threshold"


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ("none", set()),
        ("low_logprob,repetition", {"low_logprob", "repetition"}),
        ("", {"no_speech"}),
    ],
)
def test_drop(given: str, flags: set[str]) -> None:
    assert options_of(drop=given).drop == flags


def test_drop_error() -> None:
    assert error_of(drop="everything")["param"] == "drop"


def test_previous_text_and_prompt() -> None:
    options = options_of(condition_on_previous_text="true", carry_initial_prompt="1", prompt="Hi")
    assert options == replace(
        DEFAULT,
        condition_on_previous_text=True,
        carry_initial_prompt=True,
        initial_prompt="Hi",
    )


def test_previous_text_with_server_vad() -> None:
    fields = {"chunking_strategy[type]": "server_vad", "condition_on_previous_text": "true"}
    assert error_of(**fields)["param"] == "condition_on_previous_text"


def test_word_times() -> None:
    assert options_of().word_times == "heard"
    assert options_of(word_times="openai").word_times == "openai"
    assert options_of(TRANSLATIONS, word_times="openai").word_times == "openai"


def test_word_times_unknown() -> None:
    detail = error_of(word_times="whisperx")
    assert detail["param"] == "word_times"
    assert "'heard' or 'openai'" in detail["message"]
