"""Response formats, to the letter."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pysubs2
import pytest
import srt
import webvtt

from models.audio.load.load_audio import load
from scripts.quality.conditions import at_peak, write
from tests.server import Server
from tests.speech_clips import OWN_SPEECH, clips, jfk
from tests.wire.http import TEXT, TRANSLATIONS, error_of, post, verbose
from tests.wire.promises import promises

LONG = next(clip for clip in clips(language="en") if clip.is_long)
SILENCE = OWN_SPEECH / "clips" / "nonspeech" / "silence-5s.flac"
PLAIN = "text/plain; charset=utf-8"
SEGMENT = {
    "id": int,
    "seek": int,
    "start": float,
    "end": float,
    "text": str,
    "tokens": list,
    "temperature": float,
    "avg_logprob": float,
    "compression_ratio": float,
    "no_speech_prob": float,
}


@promises("Responses", "json: `text` and `usage`, the seconds rounded up")
def test_json(server: Server) -> None:
    answer = post(server)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"text": TEXT, "usage": {"type": "duration", "seconds": 2}}


@promises("Responses", "json of a translation: `text` alone")
def test_json_of_a_translation(server: Server) -> None:
    assert set(post(server, path=TRANSLATIONS).json()) == {"text"}


@promises("Responses", "text: the transcript and a line end, as text/plain in UTF-8")
def test_text(server: Server) -> None:
    answer = post(server, {"response_format": "text"})

    assert answer.headers["content-type"] == PLAIN
    assert answer.content == f"{TEXT}\n".encode()


@promises("Responses", "verbose_json: `task`, `language`, `duration`, `text`, `segments`, `usage`")
def test_verbose_json(server: Server) -> None:
    answer = verbose(server)

    assert list(answer) == ["task", "language", "duration", "text", "segments", "usage"]
    assert (answer["task"], answer["language"], answer["text"]) == ("transcribe", "english", TEXT)
    assert answer["duration"] == pytest.approx(1.9, abs=0.02)
    assert answer["usage"] == {"type": "duration", "seconds": 2}


@promises("Responses", "verbose_json: the ten members of a segment, in their types")
def test_segment(server: Server) -> None:
    [segment] = verbose(server)["segments"]

    assert {name: type(value) for name, value in segment.items()} == SEGMENT
    assert segment["id"] == segment["seek"] == 0
    assert segment["text"] == f" {TEXT}"


@promises("Responses", "verbose_json: real tokens and scores")
def test_segment_scores_are_real(server: Server) -> None:
    [segment] = verbose(server)["segments"]

    # Timestamp tokens of multilingual checkpoints begin at 50364.
    assert segment["tokens"][0] == 50364
    assert segment["tokens"][-1] > 50364
    assert all(token < 50257 for token in segment["tokens"][1:-1])
    assert -1.5 < segment["avg_logprob"] < 0
    assert 0 < segment["no_speech_prob"] < 0.6
    assert 0.5 < segment["compression_ratio"] < 2.4


@promises("Responses", "verbose_json: segments in order, inside the recording, numbered from 0")
def test_segments_of_a_long_recording(server: Server) -> None:
    answer = json_of(server, model="tiny.en", response_format="verbose_json")
    segments = answer["segments"]

    assert [segment["id"] for segment in segments] == list(range(len(segments)))
    starts = [segment["start"] for segment in segments]
    assert starts == sorted(starts)
    assert all(segment["start"] < segment["end"] for segment in segments)
    assert segments[-1]["end"] <= answer["duration"]
    assert "".join(segment["text"] for segment in segments).strip() == answer["text"]


def json_of(server: Server, **fields: str) -> dict[str, Any]:
    """The answer for a recording of a minute."""
    return dict(post(server, fields, file=LONG.path).json())


@promises("Responses", "verbose_json: words without spaces and punctuation around them")
def test_words(server: Server) -> None:
    answer = verbose(server, ("timestamp_granularities[]", "word"))

    assert "segments" not in answer
    assert [word["word"] for word in answer["words"]] == TEXT.rstrip(".").split()
    assert {tuple(word) for word in answer["words"]} == {("word", "start", "end")}
    assert all(0 <= word["start"] <= word["end"] <= 1.91 for word in answer["words"])


@promises("Responses", "verbose_json of a translation: English, with segments, without `usage`")
def test_verbose_json_of_a_translation(server: Server) -> None:
    german = next(clip for clip in clips(language="de"))
    fields = {"response_format": "verbose_json"}
    answer = post(server, fields, path=TRANSLATIONS, file=german.path).json()

    assert list(answer) == ["task", "language", "duration", "text", "segments"]
    assert (answer["task"], answer["language"]) == ("translate", "english")


@promises("Responses", "verbose_json: `flags` and `language` of segments in doubt", "extension")
def test_flags(server: Server) -> None:
    fields = {"response_format": "verbose_json", "logprob_threshold": "0", "drop": "none"}
    [segment] = post(server, {**fields, "temperature": "0.2"}).json()["segments"]

    assert segment["flags"] == ["low_logprob"]


@promises(
    "Responses",
    "`x-whisper-flags`: why text is in doubt, in every format; in a stream `flags` of "
    "`transcript.text.done`",
    "extension",
)
def test_flags_in_every_format(server: Server) -> None:
    doubted = {"logprob_threshold": "0", "drop": "none", "temperature": "0.2"}
    for name in ("json", "text", "srt", "vtt", "verbose_json"):
        answer = post(server, {"response_format": name, **doubted})
        assert answer.headers["x-whisper-flags"] == "low_logprob"
        assert "x-whisper-flags" not in post(server, {"response_format": name}).headers
    streamed = post(server, {"stream": "true", **doubted})
    *_, done = re.findall(r"(?m)^data: (\{.*\})$", streamed.text)
    assert json.loads(done)["flags"] == ["low_logprob"]


@promises("Responses", "srt: numbers from 1, hours and a comma always, a blank line at the end")
def test_srt(server: Server) -> None:
    answer = post(server, {"response_format": "srt"})

    assert answer.headers["content-type"] == PLAIN
    time = r"00:00:0[0-9],[0-9]{3}"
    assert re.fullmatch(rf"1\n{time} --> {time}\n{re.escape(TEXT)}\n\n", answer.text)


@promises("Responses", "vtt: hours always, no numbers, a blank line at the end, as text/plain")
def test_vtt(server: Server) -> None:
    answer = post(server, {"response_format": "vtt"})

    assert answer.headers["content-type"] == PLAIN
    time = r"00:00:0[0-9]\.[0-9]{3}"
    assert re.fullmatch(rf"WEBVTT\n\n{time} --> {time}\n{re.escape(TEXT)}\n\n", answer.text)


@promises("Responses", "srt and vtt: read by two independent parsers each, a cue a segment")
def test_subtitles_are_read_back(server: Server) -> None:
    wanted = [
        each["text"].strip() for each in json_of(server, response_format="verbose_json")["segments"]
    ]
    as_srt, as_vtt = (
        post(server, {"response_format": name}, file=LONG.path).text for name in ("srt", "vtt")
    )

    assert [cue.content for cue in srt.parse(as_srt)] == wanted
    assert [cue.text for cue in webvtt.from_string(as_vtt).captions] == wanted
    for text, name in ((as_srt, "srt"), (as_vtt, "vtt")):
        assert [cue.plaintext for cue in pysubs2.SSAFile.from_string(text, name)] == wanted


@promises(
    "Responses",
    "silence: an empty text, no segments, no cues",
    "differs",
    "whisper-1 invents text where nobody speaks",
)
@pytest.mark.parametrize(
    ("response_format", "body"), [("text", "\n"), ("srt", ""), ("vtt", "WEBVTT\n\n")]
)
def test_silence(server: Server, response_format: str, body: str) -> None:
    assert post(server, {"response_format": response_format}, file=SILENCE).text == body


@promises(
    "Responses",
    "silence: an empty text, no segments, no cues",
    "differs",
    "whisper-1 invents text where nobody speaks",
)
def test_silence_verbose_json(server: Server) -> None:
    answer = post(server, {"response_format": "verbose_json"}, file=SILENCE).json()

    assert (answer["text"], answer["segments"]) == ("", [])
    assert answer["duration"] == 5.0


@promises("Responses", "JSON without NaN and infinity")
def test_json_is_strict(server: Server) -> None:
    answer = post(server, {"response_format": "verbose_json", "temperature": "1"}, file=SILENCE)

    def refuse(name: str) -> float:
        raise AssertionError(name)

    assert math.isfinite(json.loads(answer.text, parse_constant=refuse)["duration"])


@promises("Responses", "non-ASCII text as UTF-8, not escaped")
def test_text_in_utf_8(server: Server) -> None:
    russian = next(clip for clip in clips(language="ru"))
    answer = post(server, {"language": "ru"}, file=russian.path)

    assert answer.json()["text"].encode() in answer.content


@promises("Responses", "diarized_json", "differs", "400: there are no speaker labels yet")
def test_diarized_json(server: Server) -> None:
    error = error_of(post(server, {"response_format": "diarized_json"}), 400)

    assert (error["param"], error["code"]) == ("response_format", "unsupported_value")
    assert "speakers" in str(error["message"])


@promises("Responses", "POST /v1/audio/detect-language: how probable each language is", "extension")
def test_detect_language(server: Server) -> None:
    answer = post(server, path="/v1/audio/detect-language", file=jfk().path).json()

    assert (answer["code"], answer["language"]) == ("en", "english")
    assert sum(each["probability"] for each in answer["languages"]) == pytest.approx(1, abs=1e-3)


@promises("Responses", "soft speech, 50 dB down: its text, as of any other", "extension")
def test_soft_speech(server: Server, tmp_path: Path) -> None:
    soft = tmp_path / "soft.wav"
    write(soft, at_peak(load(jfk().path), -52))

    answer = post(server, {"response_format": "verbose_json"}, file=soft).json()

    assert "ask what you can do for your country" in answer["text"]
    assert not any("no_speech" in segment.get("flags", ()) for segment in answer["segments"])
