"""Fields of a request, and what they do."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from statistics import median

import pytest

from tests.server import Server
from tests.speech_clips import FORMATS, OWN_SPEECH, clips, jfk
from tests.wire.http import CLIP, TEXT, TRANSLATIONS, error_of, post, text_of, verbose
from tests.wire.promises import promises

LONG = next(clip for clip in clips(language="en") if clip.is_long)
# The name in it is heard as Jean.
JEANNE = OWN_SPEECH / "clips" / "kathleen" / "arctic_a0124_1592745732.flac"
GERMAN = next(clip for clip in clips(language="de"))


@promises(
    "Requests",
    "`file`: told by its content, in about 50 containers (docs/operations.md)",
    "extension",
    "hosted goes by the name's extension and takes ten of them",
)
@pytest.mark.parametrize("path", sorted(FORMATS.iterdir()), ids=lambda path: path.name)
def test_file_of_every_format(server: Server, path: Path) -> None:
    answer = post(server, {"model": "tiny.en"}, file=path)

    assert answer.json()["text"].startswith("And so my fell")


@promises("Requests", "`model`: `whisper-1`")
def test_model_whisper_1(server: Server) -> None:
    assert text_of(server, ("model", "whisper-1")) == TEXT


@promises(
    "Requests",
    "`model`: a checkpoint's name, also as `whisper-NAME`, `openai/whisper-NAME` or an alias",
    "extension",
)
@pytest.mark.parametrize(
    "model", ["base", "whisper-base", "openai/whisper-base", "gpt-4o-transcribe", "team/dictation"]
)
def test_model_other_names(server: Server, model: str) -> None:
    assert text_of(server, ("model", model)) == TEXT


@promises("Requests", "`model` and other values in quotes, as JSON: read without", "extension")
@pytest.mark.parametrize("model", ['"base"', '"whisper-1"'])
def test_values_in_quotes(server: Server, model: str) -> None:
    answer = post(server, [("model", model), ("response_format", '"verbose_json"')])

    assert answer.json()["language"] == "english"


@promises("Requests", "`keywords[]`: words to expect")
def test_keywords_are_heard(server: Server) -> None:
    assert "Jean singing" in post(server, file=JEANNE).json()["text"]
    answer = post(server, [("keywords[]", "Jeanne"), ("keywords[]", "Schubert")], file=JEANNE)

    assert "Jeanne singing" in answer.json()["text"]


@promises("Requests", "`prompt`: style and spelling of the text before")
def test_prompt_sets_the_style(server: Server) -> None:
    prompt = "jeanne sang, she always sang, and nobody"

    assert post(server, {"prompt": prompt}, file=JEANNE).json()["text"].startswith("It was jean ")


@promises("Requests", "`prompt`: of any length; its last 224 tokens count")
@pytest.mark.parametrize(
    "prompt",
    ["printing and type and paper " * 5_000, "x" * 10_000_000, f"printing{' ' * 2_000_000}type"],
    ids=["words", "letters", "spaces"],
)
def test_prompt_of_any_length(server: Server, prompt: str) -> None:
    assert text_of(server, ("prompt", prompt))


@promises("Requests", "`temperature`: 0 to 1, as `0`, `0.0` or `1e-07`")
@pytest.mark.parametrize("temperature", ["0", "0.0", "1e-07", " 0 "])
def test_temperature_spellings(server: Server, temperature: str) -> None:
    assert text_of(server, ("temperature", temperature)) == TEXT


@promises("Requests", "`temperature` above 0 samples, and is told in the segments")
def test_temperature_is_told(server: Server) -> None:
    segments = verbose(server, ("temperature", "0.4"))["segments"]

    assert [segment["temperature"] for segment in segments] == [0.4]


@promises("Requests", "`timestamp_granularities[]`: `segment`, `word` or both")
@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ([], {"segments"}),
        (["segment"], {"segments"}),
        (["word"], {"words"}),
        (["word", "segment"], {"segments", "words"}),
    ],
)
def test_granularities(server: Server, wanted: list[str], keys: set[str]) -> None:
    answer = verbose(server, *[("timestamp_granularities[]", each) for each in wanted])

    assert {"segments", "words"} & set(answer) == keys


@promises("Requests", "`word_times=openai`: words at openai-whisper's times", "extension")
def test_word_times(server: Server) -> None:
    words = ("timestamp_granularities[]", "word")
    served, raw = (
        verbose(server, words, *more)["words"] for more in ((), (("word_times", "openai"),))
    )
    refused = error_of(post(server, {"word_times": "other"}), 400)

    assert [word["word"] for word in served] == [word["word"] for word in raw]
    # The attention runs ahead of the voice.
    later = [a["start"] - b["start"] for a, b in zip(served, raw, strict=True)]
    assert 0.0 < median(later) < 0.3
    assert refused["param"] == "word_times"


@promises(
    "Requests",
    "`timestamp_granularities[]=segment` with other formats than verbose_json: changes nothing",
    "extension",
)
@pytest.mark.parametrize("response_format", ["json", "text", "srt"])
def test_granularity_that_has_no_place(server: Server, response_format: str) -> None:
    wanted = {"response_format": response_format}
    plain, asked = (
        post(server, {**wanted, **more}) for more in ({}, {"timestamp_granularities[]": "segment"})
    )

    assert (asked.status_code, asked.text) == (200, plain.text)


@promises("Requests", "arrays as repeated `name[]` or as `name`, and as a single value")
@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities"])
def test_array_forms(server: Server, name: str) -> None:
    answer = verbose(server, (name, "word"), (name, "segment"))

    assert {"segments", "words"} <= set(answer)


@promises("Requests", "arrays with commas, as a JSON list, or numbered as `name[0]`", "extension")
@pytest.mark.parametrize(
    "fields",
    [
        [("timestamp_granularities", "word, segment")],
        [("timestamp_granularities", '["word", "segment"]')],
        [("timestamp_granularities[0]", "word"), ("timestamp_granularities[1]", "segment")],
    ],
)
def test_array_forms_beyond(server: Server, fields: list[tuple[str, str]]) -> None:
    assert {"segments", "words"} <= set(verbose(server, *fields))


@promises("Requests", "`include[]=logprobs`: tokens with log-probabilities and bytes, in json")
def test_include_logprobs(server: Server) -> None:
    answer = post(server, {"include[]": "logprobs"}).json()

    assert b"".join(bytes(each["bytes"]) for each in answer["logprobs"]).decode() == TEXT
    assert "".join(each["token"] for each in answer["logprobs"]) == TEXT
    assert all(-20 < each["logprob"] <= 0 for each in answer["logprobs"])


@promises("Requests", "`chunking_strategy`: `auto`, an object in sub-fields, or as JSON")
@pytest.mark.parametrize(
    "fields",
    [
        [("chunking_strategy", "auto")],
        [
            ("chunking_strategy[type]", "server_vad"),
            ("chunking_strategy[threshold]", "0.4"),
            ("chunking_strategy[prefix_padding_ms]", "200"),
            ("chunking_strategy[silence_duration_ms]", "400"),
        ],
        [("chunking_strategy", json.dumps({"type": "server_vad", "threshold": 0.4}))],
    ],
    ids=["auto", "sub-fields", "json"],
)
def test_chunking_strategy_forms(server: Server, fields: list[tuple[str, str]]) -> None:
    assert text_of(server, *fields) == TEXT


@promises("Requests", "`chunking_strategy`: `sequential`, as openai-whisper", "extension")
def test_chunking_strategy_sequential(server: Server) -> None:
    fields = {"model": "tiny.en", "chunking_strategy": "sequential"}
    answer = post(server, [*fields.items(), ("response_format", "verbose_json")], file=LONG.path)

    assert answer.json()["segments"][-1]["seek"] > 0


@promises("Requests", "booleans in all spellings")
@pytest.mark.parametrize("value", ["true", "True", "1", "yes", "on"])
def test_boolean_true(server: Server, value: str) -> None:
    answer = post(server, {"stream": value})

    assert answer.headers["content-type"].startswith("text/event-stream")


@promises("Requests", "booleans in all spellings")
@pytest.mark.parametrize("value", ["false", "False", "0", "no", "off"])
def test_boolean_false(server: Server, value: str) -> None:
    assert post(server, {"stream": value}).headers["content-type"] == "application/json"


@promises("Requests", "an empty value is as if the field had not come")
def test_empty_is_absent(server: Server) -> None:
    names = ("language", "prompt", "response_format", "temperature", "stream", "include[]")

    assert text_of(server, *[(name, "") for name in names]) == TEXT


@promises(
    "Requests",
    "`known_speaker_names[]`, `known_speaker_references[]`",
    "differs",
    "taken and not used: there are no speaker labels",
)
def test_known_speakers_are_taken(server: Server) -> None:
    reference = "data:audio/flac;base64," + base64.b64encode(CLIP.read_bytes() * 20).decode()
    names = [("known_speaker_names[]", f"speaker {number}") for number in range(4)]
    references = [("known_speaker_references[]", reference)] * 4

    assert text_of(server, *names, *references) == TEXT


@promises(
    "Requests", "unknown fields", "differs", "ignored and logged by name; hosted may refuse them"
)
def test_unknown_fields_are_ignored_and_logged(server: Server) -> None:
    assert text_of(server, ("nonsense", "secret"), ("nested[a][]", "secret")) == TEXT
    assert "Ignored fields: ['nested', 'nonsense']" in server.printed
    assert "secret" not in server.printed


@promises("Requests", "fields twice: the last one counts")
def test_field_twice(server: Server) -> None:
    answer = post(server, [("response_format", "vtt"), ("response_format", "text")])

    assert answer.text == f"{TEXT}\n"


@promises("Requests", "translations: to English, with `prompt` and `temperature`")
def test_translation(server: Server) -> None:
    fields = {"prompt": "A speech in parliament.", "temperature": "0"}
    english = post(server, fields, path=TRANSLATIONS, file=GERMAN.path).json()["text"]
    spoken = post(server, {"language": "de"}, file=GERMAN.path).json()["text"]

    assert english
    assert english != spoken


@promises("Requests", "translations: `language`, `stream`, `include[]` are ignored")
def test_translation_ignores_what_it_has_not(server: Server) -> None:
    fields = {"stream": "true", "include[]": "logprobs", "timestamp_granularities[]": "word"}
    answer = post(server, fields, path=TRANSLATIONS)

    assert set(answer.json()) == {"text"}


@promises(
    "Requests",
    "`condition_on_previous_text`, `compression_ratio_threshold`, `logprob_threshold`, "
    "`no_speech_threshold` and the other options of openai-whisper",
    "extension",
)
def test_options_of_openai_whisper(server: Server) -> None:
    refused = error_of(post(server, {"no_speech_threshold": "often"}), 400)
    heard = text_of(server, ("no_speech_threshold", "none"), ("condition_on_previous_text", "1"))

    assert refused["param"] == "no_speech_threshold"
    assert heard == TEXT


@promises(
    "Requests", "`loop_threshold`: how often a second something can be said, or `none`", "extension"
)
def test_loop_threshold(server: Server) -> None:
    refused = error_of(post(server, {"loop_threshold": "often"}), 400)

    assert refused["param"] == "loop_threshold"
    assert text_of(server, ("loop_threshold", "none")) == TEXT
    assert text_of(server, ("loop_threshold", "3")) == TEXT


@promises(
    "Requests",
    "`max_line_width`, `max_line_count`, `max_words_per_line`, `min_cue_duration`, "
    "`max_cue_duration`",
    "extension",
)
def test_subtitle_options(server: Server) -> None:
    fields = {"response_format": "srt", "max_line_width": "20"}
    lines = post(server, fields, file=jfk().path).text.splitlines()

    assert max(len(line) for line in lines if "-->" not in line) <= 20
