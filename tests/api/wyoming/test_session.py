"""A client's conversation: Home Assistant's order of events, and others."""

from __future__ import annotations

import asyncio

from wyoming.asr import Transcribe
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from tests.api.fake import EndlessTranscriber, FakeTranscriber
from tests.api.wyoming.talking import SOUND, TEXT, Talk, spoken, talking, types
from tests.wyoming_events import heard, say


def test_describe_and_ping() -> None:
    async def ask() -> tuple[Event | None, Event | None, Event | None]:
        async with talking() as talk, talk.client() as client:
            await say(
                client, [Event("select-program", {"name": "x"}), Describe(), Ping("now"), Ping()]
            )
            return await client.read_event(), await client.read_event(), await client.read_event()

    described, pong, bare = asyncio.run(ask())
    assert described
    assert Info.from_event(described).asr[0].models[0].name == "base"
    assert pong
    assert Pong.from_event(pong).text == "now"
    assert bare == Event("pong")


def test_utterance_in_home_assistants_order() -> None:
    transcriber = FakeTranscriber()

    async def ask() -> tuple[list[Event], Talk]:
        async with talking(transcriber) as talk:
            return await talk.answers(*spoken(language="en")), talk

    events, talk = asyncio.run(ask())
    assert events == [
        Event("transcript-start", {"language": "en"}),
        Event("transcript-chunk", {"text": "The naïve wind and"}),
        Event("transcript-chunk", {"text": " the sun."}),
        Event("transcript", {"text": TEXT, "language": "en"}),
        Event("transcript-stop"),
    ]
    [(file, options)] = transcriber.calls
    assert file[44:] == SOUND
    assert (options.language, options.task) == ("en", "transcribe")
    [observed] = talk.observed
    assert (observed.dialect, observed.endpoint, observed.outcome) == (
        "wyoming",
        "transcribe",
        "ok",
    )
    assert (observed.model, observed.stats.audio_seconds) == ("base", 3.7)


def test_names_come_before_terms_and_need_not_all_fit() -> None:
    transcriber = FakeTranscriber()

    async def ask() -> list[Event]:
        said = spoken(
            transcript_terms=["Kueche"],
            transcript_names=["Ada", "Bob"],
            name="base",
            language="fil",
            context={"a": 1},
        )
        async with talking(transcriber) as talk:
            return await talk.answers(*said)

    assert types(asyncio.run(ask()))[-2:] == ["transcript", "transcript-stop"]
    [(_, options)] = transcriber.calls
    assert options.keywords == ("Ada", "Bob", "Kueche")
    assert options.trim_keywords
    assert options.language == "tl"


def test_without_transcribe_the_language_is_detected() -> None:
    transcriber = FakeTranscriber(language="de")

    async def ask() -> list[Event]:
        async with talking(transcriber) as talk:
            return await talk.answers(*spoken()[1:])

    start, *_, transcript, _ = asyncio.run(ask())
    assert start == Event("transcript-start")
    assert transcript.data == {"text": TEXT, "language": "de"}


def test_several_utterances_on_one_connection() -> None:
    transcriber = FakeTranscriber()

    async def ask() -> list[list[Event]]:
        async with talking(transcriber) as talk, talk.client() as client:
            answers = []
            for language in ("en", None):
                await say(client, spoken(language=language))
                answers.append(await heard(client))
            return answers

    first, second = asyncio.run(ask())
    assert (first[0], second[0]) == (
        Event("transcript-start", {"language": "en"}),
        Event("transcript-start"),
    )
    assert [options.language for _, options in transcriber.calls] == ["en", None]


def test_client_is_answered_while_its_utterance_is_worked_on() -> None:
    transcriber = EndlessTranscriber()

    async def ask() -> tuple[Event | None, Event | None, Event | None]:
        async with talking(transcriber) as talk, talk.client() as client:
            await say(client, [*spoken(), Ping("still there?")])
            pong = await client.read_event()
            await transcriber.started.wait()
            await say(client, [Transcribe()])
            error, end = await client.read_event(), await client.read_event()
            await transcriber.cancelled.wait()
            return pong, error, end

    pong, error, end = asyncio.run(ask())
    assert pong
    assert pong.type == "pong"
    assert error
    assert error.data["text"] == "The last utterance is not answered yet."
    assert end is None
