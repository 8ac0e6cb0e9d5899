"""Real speech in real time's order: live text beside that of files, with `base`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np
import pytest

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.checkpoints.weights import Weights
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from models.live.events import Delta, SpeechStarted, SpeechStopped
from models.live.live_options import LiveOptions, SemanticVad, ServerVad
from models.options import TranscribeOptions, VoiceOptions
from models.transcription.transcriber import Transcriber
from scripts.shared.accuracy import count_errors
from tests.models.live.speaking import (
    ENGLISH,
    Models,
    completions,
    deltas,
    is_the_file,
    options,
    said,
    silence,
    speaker,
)
from tests.speech_clips import Clip, clips

MANUAL = options(model="base", turn_detection=None)
LONG_PAUSES = ServerVad(VoiceOptions(silence_duration_ms=2000))
# Read English, 3 to 16 s each.
READ = [clip for clip in clips("en", "read") if 2 < clip.seconds < 16][:6]


@pytest.fixture(scope="module")
def base(weights: Callable[[str], Weights]) -> Iterator[Transcriber]:
    # One thread: the order of sums is that of the threads, of which a busy machine has fewer.
    config = EngineConfig(device="cpu", threads=1)
    transcriber = Transcriber(start_engine(weights("base"), config))
    yield transcriber
    transcriber.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 900))


def heard(base: Transcriber, live: LiveOptions, *sounds: Samples) -> list[Any]:
    """All events of a session in which this is said, and then committed if that is needed."""

    async def talk() -> list[Any]:
        async with speaker(Models(base=base), live) as speaking:
            await speaking.say(*sounds)
            if live.turn_detection is None:
                speaking.session.commit()
            return await speaking.finish()

    return asyncio.run(asyncio.wait_for(talk(), 900))


def file_text(base: Transcriber, samples: Samples, options: TranscribeOptions = ENGLISH) -> str:
    return asyncio.run(base.transcribe_samples(samples, options)).text


def errors(reference: str, text: str) -> int:
    return count_errors(reference, text, "en").count


def joined(found: list[Clip], pause: float = 0.0) -> Samples:
    """Clips one behind the other, so many seconds apart."""
    return np.concatenate([part for clip in found for part in (load(clip.path), silence(pause))])


def test_deltas_of_a_turn_come_early_and_in_many_pieces_and_are_never_taken_back(
    base: Transcriber,
) -> None:
    sound = np.concatenate([said(), silence(0.3), load(READ[0].path)])
    live = replace(MANUAL, delay="low")
    reference = f"{file_text(base, said())} {READ[0].text}"

    async def talk() -> None:
        async with speaker(Models(base=base), live) as speaking:
            await speaking.say(sound)
            before = deltas(speaking.events)
            speaking.session.commit()
            events = await speaking.finish()
        (completed,) = completions(events)
        assert len(before) >= 10
        prefixes = list(accumulate(deltas(events)))
        assert all(completed.transcript.startswith(prefix) for prefix in prefixes)
        assert prefixes[-1] == completed.transcript
        assert errors(reference, completed.transcript) <= 6
        stats = speaking.session.take_stats()["base"]
        assert stats.windows >= 10
        assert stats.stages["decode"].seconds > 0

    run(talk())


@pytest.mark.parametrize("clip", READ[:4], ids=str)
def test_the_longest_delay_is_the_file_api_token_for_token(base: Transcriber, clip: Clip) -> None:
    samples = load(clip.path)
    (completed,) = completions(heard(base, replace(MANUAL, delay="xhigh"), samples))
    transcript = asyncio.run(base.transcribe_samples(samples, ENGLISH))

    is_the_file(completed, transcript)
    assert completed.seconds == transcript.duration


def test_settled_text_is_nearly_as_right_as_that_of_files(base: Transcriber) -> None:
    found = READ[:5]
    live, file = 0, 0
    for clip in found:
        samples = load(clip.path)
        (completed,) = completions(heard(base, MANUAL, samples, silence(0.3)))
        live += errors(clip.text, completed.transcript)
        file += errors(clip.text, file_text(base, samples))

    words = sum(len(clip.text.split()) for clip in found)
    assert live - file <= 0.03 * words


def test_log_probabilities_are_those_of_the_deltas(base: Transcriber) -> None:
    events = heard(base, MANUAL, said())
    (completed,) = completions(events)
    told = [each for event in events if isinstance(event, Delta) for each in event.logprobs]

    assert tuple(told) == completed.logprobs
    assert len(told) == completed.output_tokens
    assert b"".join(each.data for each in told).decode().strip() == completed.transcript
    assert all(each.logprob <= 0 for each in told)


def test_speech_without_pauses_is_cut_between_words_and_loses_none(base: Transcriber) -> None:
    found = READ[:6]
    sound = joined(found)
    events = heard(base, options(model="base", turn_detection=LONG_PAUSES), sound, silence(2.5))
    text = " ".join(event.transcript for event in completions(events))
    apart = sum(errors(clip.text, file_text(base, load(clip.path))) for clip in found)

    assert errors(" ".join(clip.text for clip in found), text) <= apart + 6
    assert len(deltas(events)) > len(sound) / 16_000 / 6


def test_turns_of_one_sentence_are_heard_as_its_parts_and_repeat_nothing(base: Transcriber) -> None:
    events = heard(base, options(model="base", turn_detection=ServerVad()), said(), silence(1))
    texts = [event.transcript for event in completions(events)]

    assert len(texts) >= 3
    # By itself base hears the second one, which is two words, as shouted.
    assert not any(text.isupper() for text in texts)
    assert errors(file_text(base, said()), " ".join(texts)) == 0


def test_sound_faster_than_real_time_is_all_transcribed(base: Transcriber) -> None:
    # Twice over: a decoder that is told what was said leaves out what is like it.
    found = [*READ[:6], *READ[:6]]
    sound = joined(found, 0.3)
    apart = 2 * sum(errors(clip.text, file_text(base, load(clip.path))) for clip in READ[:6])

    async def talk() -> None:
        async with speaker(Models(base=base), MANUAL) as speaking:
            await speaking.say(sound, seconds=2, waits=False)
            speaking.session.commit()
            (completed,) = completions(await speaking.finish())
        assert errors(" ".join(clip.text for clip in found), completed.transcript) <= apart + 6

    run(talk())


@pytest.mark.parametrize("delay", ["medium", "xhigh"])
def test_a_turn_says_its_language(base: Transcriber, delay: str) -> None:
    german = next(clip for clip in clips("de") if clip.seconds < 12)
    live = options(
        model="base", turn_detection=LONG_PAUSES, delay=delay, transcription=TranscribeOptions()
    )
    sounds = [load(german.path), silence(3), said(), silence(3), load(german.path), silence(3)]
    languages = [event.language for event in completions(heard(base, live, *sounds))]

    assert languages == ["de", "en", "de"]


def test_a_language_among_those_given_is_taken(base: Transcriber) -> None:
    german = next(clip for clip in clips("de") if clip.seconds < 12)
    live = replace(MANUAL, transcription=TranscribeOptions(languages=("en", "fr")))
    (completed,) = completions(heard(base, live, load(german.path)))

    assert completed.language in ("en", "fr")


def test_semantic_turns_end_behind_a_sentence_before_the_longest_silence(
    base: Transcriber,
) -> None:
    live = options(model="base", turn_detection=SemanticVad("low"))
    events = heard(base, live, said(), silence(4))

    (completed,) = completions(events)
    assert errors(file_text(base, said()), completed.transcript) <= 2
    (stopped,) = [event for event in events if isinstance(event, SpeechStopped)]
    assert stopped.audio_end_ms < 15_000


def test_soft_speech_begins_a_turn_and_is_understood(base: Transcriber) -> None:
    soft = said() * np.float32(10 ** (-30 / 20))
    live = options(model="base", turn_detection=LONG_PAUSES)
    (completed,) = completions(heard(base, live, soft, silence(2.5)))

    assert errors(file_text(base, said()), completed.transcript) <= 2


@pytest.mark.parametrize("clip", clips("none"), ids=str)
def test_sounds_without_speech_have_no_words(base: Transcriber, clip: Clip) -> None:
    live = options(model="base", turn_detection=ServerVad())
    events = heard(base, live, load(clip.path)[: 16_000 * 20])

    assert [event.transcript for event in completions(events) if event.transcript] == []


@pytest.mark.parametrize("hertz", [100, 440, 1_000, 3_000])
def test_no_turn_begins_for_a_tone(base: Transcriber, hertz: int) -> None:
    tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(16_000 * 5) / 16_000).astype(np.float32)
    events = heard(base, options(model="base"), tone)

    assert not [event for event in events if isinstance(event, SpeechStarted)]
