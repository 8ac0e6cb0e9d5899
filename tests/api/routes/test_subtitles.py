"""Tests of subtitles made of transcripts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from models.text.transcript import Segment, Word
from tests.api.fake import TRANSCRIPTIONS, FakeTranscriber, client, segment
from tests.wire.promises import promises

SUBTITLES = "/v1/audio/subtitles"
LINES = (" “Well,” said the fox-hunter (who was tired)...", " let us go home, and sleep!")


def spoken(number: int, text: str) -> Segment:
    """A segment whose words last a quarter of a second each, without pauses between."""
    start, texts = 5.0 * number, [f" {word}" for word in text.split()]
    words = tuple(
        Word(each, start + place / 4, start + (place + 1) / 4, 0.5)
        for place, each in enumerate(texts)
    )
    return replace(segment(number, start, words[-1].end, text), words=words)


SPOKEN = tuple(spoken(number, text) for number, text in enumerate(LINES))
# As they are where limits of cues are asked for: a word begins early where a pause is before it.
EARLY = (
    SPOKEN[0],
    replace(SPOKEN[1], words=(replace(SPOKEN[1].words[0], start=4.92), *SPOKEN[1].words[1:])),
)


def transcribed(segments: tuple[Segment, ...] = SPOKEN, **fields: str) -> str:
    """What the transcription itself answers."""
    app = client(FakeTranscriber(segments, duration=20.0))
    data = {"model": "base", **fields}
    return app.post(TRANSCRIPTIONS, data=data, files={"file": ("a.wav", b"x")}).text


def verbose() -> dict[str, Any]:
    both = {"response_format": "verbose_json", "timestamp_granularities[]": "segment,word"}
    answer = json.loads(transcribed(SPOKEN, **both))
    assert answer["words"]
    return dict(answer)


def post(body: object, **options: object) -> Any:
    return client().post(SUBTITLES, json={"transcript": body, **options})


@promises(
    "Responses",
    "`POST /v1/audio/subtitles`: a verbose_json, edited or not, to srt, vtt, txt or tsv",
    "extension",
)
@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_same_as_the_transcription(name: str) -> None:
    answer = post(verbose(), response_format=name)

    assert answer.text == transcribed(response_format=name)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@promises(
    "Responses", "its limits of lines and cues: those of a transcription's srt and vtt", "extension"
)
@pytest.mark.parametrize("name", ["srt", "vtt"])
@pytest.mark.parametrize(
    "limits",
    [
        {"max_line_width": 20, "max_line_count": 2},
        {"max_words_per_line": 2},
        {"max_cue_duration": 0.6, "min_cue_duration": 0.3},
    ],
)
def test_limits_of_cues(name: str, limits: dict[str, float]) -> None:
    asked = {key: str(value) for key, value in limits.items()}
    answer = post(verbose(), response_format=name, **limits)

    assert answer.text == transcribed(EARLY, response_format=name, **asked)


@promises(
    "Responses",
    "`highlight_words`: each word of srt and vtt underlined while it is said",
    "extension",
)
@pytest.mark.parametrize("name", ["srt", "vtt"])
@pytest.mark.parametrize("limits", [{}, {"max_line_width": 20}], ids=["segments", "limits"])
def test_highlighted_words(name: str, limits: dict[str, int]) -> None:
    asked = {key: str(value) for key, value in limits.items()}
    answer = post(verbose(), response_format=name, highlight_words=True, **limits)
    segments = EARLY if limits else SPOKEN

    assert answer.text == transcribed(
        segments, response_format=name, highlight_words="true", **asked
    )
    assert "<u>said</u> the" in answer.text


def test_highlighted_words_need_words() -> None:
    without = {"segments": [{"start": 0, "end": 4, "text": "aa bb"}]}
    answer = post(without, highlight_words=True)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "transcript.words"
    assert post({"segments": [], "words": []}, highlight_words=True).text == ""


def test_highlighted_words_are_of_srt_and_vtt() -> None:
    app, files = client(FakeTranscriber(SPOKEN)), {"file": ("a.wav", b"x")}
    answer = app.post(TRANSCRIPTIONS, data={"model": "base", "highlight_words": "1"}, files=files)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "highlight_words"


def test_txt_and_tsv() -> None:
    assert post(verbose(), response_format="txt").text == "".join(
        f"{line.strip()}\n" for line in LINES
    )
    ends = [round(each.end * 1000) for each in SPOKEN]
    assert post(verbose(), response_format="tsv").text == (
        f"start\tend\ttext\n0\t{ends[0]}\t{LINES[0].strip()}\n5000\t{ends[1]}\t{LINES[1].strip()}\n"
    )


def test_edited_text_has_the_times_of_its_segment() -> None:
    edited = verbose()
    edited["segments"][1]["text"] = " Let them all stay."
    before, after = transcribed(response_format="srt"), post(edited).text

    assert after == before.replace(LINES[1].strip(), "Let them all stay.")


def test_edited_text_is_shared_out_where_its_words_are_others() -> None:
    edited = {"segments": [{"start": 0, "end": 4, "text": "aa bb"}], "words": [word("aa", 0, 1)]}

    assert post(edited, max_words_per_line=1, max_line_count=1).text == (
        "1\n00:00:00,000 --> 00:00:01,600\naa\n\n2\n00:00:02,400 --> 00:00:04,000\nbb\n\n"
    )


def word(text: str, start: float, end: float) -> dict[str, object]:
    return {"word": text, "start": start, "end": end}


def test_words_of_segments_themselves() -> None:
    line = {"start": 0, "end": 4, "text": "aa bb", "words": [word("aa", 0, 1), word("bb", 3, 4)]}

    assert post({"segments": [line]}, max_words_per_line=1, max_line_count=1).text == (
        "1\n00:00:00,000 --> 00:00:01,000\naa\n\n2\n00:00:02,920 --> 00:00:04,000\nbb\n\n"
    )


def test_nothing_said() -> None:
    assert post({"segments": []}).text == ""
    assert post({"segments": []}, response_format="vtt").text == "WEBVTT\n\n"


def test_without_prefix() -> None:
    line = {"start": 0, "end": 1, "text": "x"}
    answer = client().post(SUBTITLES.removeprefix("/v1"), json={"transcript": {"segments": [line]}})

    assert answer.text == "1\n00:00:00,000 --> 00:00:01,000\nx\n\n"
