"""Fields that say which language is spoken, and how it is written."""

from __future__ import annotations

import json

import pytest

from tests.server import Server
from tests.speech_clips import OWN_SPEECH, clips
from tests.wire.http import post, verbose
from tests.wire.promises import promises

CHINESE = OWN_SPEECH / "clips" / "aishell" / "estate-agents.flac"
GERMAN = next(clip for clip in clips(language="de"))


@promises("Requests", "`language`: an ISO 639-1 code; without it the language is detected")
@pytest.mark.parametrize("fields", [[("language", "de")], []])
def test_language_code(server: Server, fields: list[tuple[str, str]]) -> None:
    answer = post(server, [("response_format", "verbose_json"), *fields], file=GERMAN.path)

    assert answer.json()["language"] == "german"


@promises(
    "Requests",
    "`language`, `languages[]`: any code of ISO 639-1, -2 and -3 (`nb`, `iw`, `cmn`, `ger`), "
    "any BCP 47 tag (`en-US`, `zh-Hans-CN`), and names in English or in the language itself "
    "(`german`, `Deutsch`)",
    "extension",
)
@pytest.mark.parametrize(
    ("language", "name"),
    [
        *(("english", "english"), ("EN", "english"), ("en_GB", "english"), ("eng", "english")),
        *(("nb-NO", "norwegian"), ("iw", "hebrew"), ("fil-PH", "tagalog"), ("ger", "german")),
        *(("Deutsch", "german"), ("日本語", "japanese"), ("zh-Hans-CN", "chinese")),
    ],
)
def test_language_lenient(server: Server, language: str, name: str) -> None:
    assert verbose(server, ("language", language))["language"] == name


@promises(
    "Requests",
    "`language`, `languages[]`: `auto`, `und`, `detect`, `null`, `none`, `undefined` detect it",
    "extension",
)
@pytest.mark.parametrize("language", ["auto", "und", "detect", "null", "None", "undefined"])
def test_language_to_detect(server: Server, language: str) -> None:
    assert verbose(server, ("language", language), ("languages[]", language))["language"] == (
        "english"
    )


@promises(
    "Requests",
    "`language`: Cantonese is Chinese to a checkpoint that does not know it",
    "extension",
)
@pytest.mark.parametrize("language", ["yue", "zh-yue", "Cantonese"])
def test_cantonese(server: Server, language: str) -> None:
    assert verbose(server, ("language", language))["language"] == "chinese"


@promises(
    "Requests",
    "`language`: `zh-Hans`, `zh-CN`, `zh-SG`, `zh-MY`, `zh-Hant`, `zh-TW`, `zh-HK`, `zh-MO`, "
    "`sr-Latn`, `sr-Cyrl` tell the script; else it is that of most of the text, in a stream that "
    "of its start",
    "extension",
    "by itself Whisper writes each window of Chinese in Simplified or Traditional as it falls",
)
@pytest.mark.parametrize(
    ("language", "here", "elsewhere"),
    [
        *(("zh-Hans", "广", "廣"), ("zh-CN", "广", "廣"), ("zh-SG", "广", "廣")),
        *(("zh-Hant", "廣", "广"), ("zh-TW", "廣", "广"), ("zh-HK", "廣", "广")),
    ],
)
def test_language_with_its_script(server: Server, language: str, here: str, elsewhere: str) -> None:
    fields = [("language", language), ("include[]", "logprobs")]
    answer = post(server, fields, file=CHINESE).json()
    streamed = post(server, [*fields, ("stream", "true")], file=CHINESE).text

    assert here in answer["text"]
    assert elsewhere not in answer["text"]
    assert b"".join(bytes(each["bytes"]) for each in answer["logprobs"]).decode() == answer["text"]
    assert json.dumps(answer["text"], ensure_ascii=False) in streamed


@promises("Requests", "`languages[]`: one of them is detected")
def test_languages_are_the_choice(server: Server) -> None:
    chosen = verbose(server, ("languages[]", "fr"), ("languages[]", "de"))["language"]

    assert chosen in ("french", "german")
