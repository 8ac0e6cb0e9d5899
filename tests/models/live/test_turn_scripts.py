"""One script in the text of live turns: Chinese and Serbian, with tokens that still fit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from models.engine.decoding.sequence import Prefix
from models.language.languages import Script as LetterScript
from models.live.events import Delta, OpenText
from models.live.turn_recognizers import TurnRecognizers
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.script import ScriptNormalizer
from models.text.transcript import TokenScore
from models.transcription.live_window import LiveText, LiveWindow
from tests.models.live.speaking import (
    Models,
    Script,
    completions,
    deltas,
    options,
    run,
    said,
    silence,
    speaker,
)

SIMPLIFIED = "我们后来发现头发里面有东西"
TRADITIONAL = "我們後來發現頭髮裡面有東西"
LATIN = (" Ljubav", " džep", " i", " konj", " Njegoš", " voli", " injekcije", " i", " more")
CYRILLIC = "Љубав џеп и коњ Његош воли инјекције и море"


@dataclass
class Spelling(Script):
    """Says these tokens one after the other; from the window `change` on it says `later`."""

    language: str = "zh"
    tokens: tuple[bytes, ...] = ()
    later: tuple[bytes, ...] = ()
    change: int = 0

    async def decode_live(self, live: LiveWindow, stats: RequestStats | None = None) -> LiveText:
        found = await super().decode_live(live, stats)
        said = self.later if self.later and len(self.windows) > self.change else self.tokens
        spoken = range(len(found.tokens) - 1)
        scores = (None, *(TokenScore(said[n % len(said)], -0.1 * (n + 1)) for n in spoken))
        return replace(found, language=self.language, scores=scores)


def parted(text: str, size: int = 3) -> tuple[bytes, ...]:
    """A text in tokens of so many bytes."""
    data = text.encode()
    return tuple(data[at : at + size] for at in range(0, len(data), size))


def told(script: Spelling, seconds: float, **changes: object) -> tuple[str, list[Any]]:
    """The transcript of a turn, and all events, after what every turn is held to."""
    events: list[Any] = []
    asked = TranscribeOptions(language=script.language, **changes)  # type: ignore[arg-type]

    async def talk() -> None:
        live = options(turn_detection=None, delay="low", transcription=asked)
        async with speaker(Models(m=script), live) as speaking:
            await speaking.say(said(0, seconds))
            assert deltas(speaking.events)
            speaking.session.commit()
            events.extend(await speaking.finish())
            events.extend(speaking.opened)

    run(talk())
    (completed,) = completions(events)
    assert "".join(deltas(events)) == completed.transcript
    given = [each for event in events if isinstance(event, Delta) for each in event.logprobs]
    assert given == list(completed.logprobs)
    assert b"".join(each.data for each in given).decode().lstrip() == completed.transcript
    assert [each.logprob for each in given] == [-0.1 * (n + 1) for n in range(len(given))]
    return completed.transcript, events


@pytest.mark.parametrize("size", [3, 2])
def test_chinese_is_written_in_the_script_that_was_asked_for(size: int) -> None:
    script = Spelling(tokens=parted(SIMPLIFIED, size))
    transcript, events = told(script, 9.5, scripts=("Hant",))

    assert len(transcript) >= (10 if size == 3 else 8)
    assert TRADITIONAL.startswith(transcript)
    opened = "".join(event.text for event in events if isinstance(event, OpenText))
    assert opened
    assert not set(opened) & (set(SIMPLIFIED) - set(TRADITIONAL))


@pytest.mark.parametrize(
    ("first", "second"), [(SIMPLIFIED, TRADITIONAL), (TRADITIONAL, SIMPLIFIED)]
)
def test_chinese_keeps_the_script_that_was_told_first(first: str, second: str) -> None:
    script = Spelling(tokens=parted(first), later=parted(second), change=8)
    transcript, _ = told(script, 9.5)

    assert len(transcript) >= 10
    assert first.startswith(transcript)


@pytest.mark.parametrize(
    ("scripts", "expected"), [(("Cyrl",), CYRILLIC), (("Latn",), "".join(LATIN).strip()), ((), "")]
)
def test_serbian_has_the_letters_that_were_asked_for(
    scripts: tuple[LetterScript, ...], expected: str
) -> None:
    script = Spelling(language="sr", tokens=tuple(word.encode() for word in LATIN))
    transcript, _ = told(script, 6.0, scripts=scripts)

    assert len(transcript.split()) >= 7
    assert (expected or "".join(LATIN).strip()).startswith(transcript)


def test_later_turns_of_a_session_have_the_script_of_the_first() -> None:
    script = Spelling(tokens=parted(TRADITIONAL))

    async def talk() -> None:
        asked = TranscribeOptions(language="zh")
        live = options(turn_detection=None, transcription=asked)
        async with speaker(Models(m=script), live) as speaking:
            for text in (TRADITIONAL, SIMPLIFIED):
                script.tokens = parted(text)
                await speaking.say(said(0, 4))
                speaking.session.commit()
                await speaking.quiet()
            first, second = completions(await speaking.finish())
        assert first.transcript
        assert TRADITIONAL.startswith(first.transcript)
        assert second.transcript
        assert second.transcript in TRADITIONAL

    run(talk())


def test_first_hypotheses_that_nothing_was_settled_of_choose_no_script() -> None:
    script = Spelling(tokens=parted(SIMPLIFIED[6:]), later=parted(TRADITIONAL[6:]), change=2)
    transcript, _ = told(script, 5.0)

    assert len(transcript) >= 5
    assert TRADITIONAL[6:].startswith(transcript)


def test_a_turn_that_was_cleared_before_it_was_told_chooses_no_script() -> None:
    script = Spelling(tokens=parted(SIMPLIFIED[6:]))

    async def talk() -> None:
        live = options(
            turn_detection=None, delay="high", transcription=TranscribeOptions(language="zh")
        )
        async with speaker(Models(m=script), live) as speaking:
            await speaking.say(said(0, 2))
            assert script.windows
            assert not deltas(speaking.events)
            speaking.session.clear()
            script.tokens = parted(TRADITIONAL)
            await speaking.say(said(0, 4))
            speaking.session.commit()
            (completed,) = completions(await speaking.finish())
        assert len(completed.transcript) >= 4
        assert TRADITIONAL.startswith(completed.transcript)

    run(talk())


def test_a_text_is_written_in_the_script_that_another_turn_has_chosen_meanwhile() -> None:
    async def write() -> None:
        release, waiting = threading.Event(), ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(waiting)
        waiting.submit(release.wait, 120)
        models = TurnRecognizers(
            Models(m=Spelling(tokens=parted(SIMPLIFIED))), RequestStats(), ScriptNormalizer()
        )
        asked = TranscribeOptions()
        window = LiveWindow(silence(6), asked, "zh", (), Prefix(), 6.0, is_final=False)
        async with models.use("m") as recognizer:
            decoding = asyncio.create_task(recognizer.decode_live(window))
            while not waiting._work_queue.qsize():  # noqa: SLF001, ASYNC110
                await asyncio.sleep(0)
            models.settle("zh", TRADITIONAL)
            release.set()
            text = await decoding
        written = b"".join(score.data for score in text.scores if score).decode()
        assert TRADITIONAL.startswith(written)
        assert len(written) >= 10

    run(write())


def test_texts_of_other_languages_stay() -> None:
    script = Spelling(language="ja", tokens=parted(SIMPLIFIED))
    transcript, _ = told(script, 9.5, scripts=("Hant",))

    assert SIMPLIFIED.startswith(transcript)
