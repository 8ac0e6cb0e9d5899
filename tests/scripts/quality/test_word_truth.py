"""scripts.quality.word_truth, with a voice and a listener of which the answers are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.audio.samples import Samples
from models.text.transcript import Word
from scripts.quality import voices
from scripts.quality.comparison import all_of, as_table, compare, lead
from scripts.quality.spoken import Span, Spoken, Utterance, joined, sentences, spoken_by
from scripts.quality.truth import Errors, between, errors_of
from scripts.quality.voices import spans_of
from scripts.shared.errors import BenchError

RATE = 22_050


class Buzzer:
    """Buzzes 0.3 s for each word, with 0.1 s of silence before each; `late` are its lies."""

    name, language = "buzzer", "en"

    def __init__(self, late: float = 0.0) -> None:
        self._late = late

    def say(self, text: str) -> Utterance | None:
        pitch = 300 + 7 * sum(map(ord, text)) % 500  # of each sentence another
        tone = np.sin(2 * np.pi * pitch * np.arange(round(0.3 * RATE)) / RATE) * 20_000
        silence = np.zeros(round(0.1 * RATE))
        count = len(text.split())
        pcm = np.concatenate([silence, tone] * count + [silence]).astype("<i2").tobytes()
        spans = [(0.4 * n + 0.1 + self._late, 0.4 * n + 0.4 + self._late) for n in range(count)]
        return Utterance(pcm, RATE, spans)


class Ear:
    """Knows the words of every recording by its samples; `tell` makes of them what is heard."""

    def __init__(
        self, known: list[Spoken], tell: Callable[[Word], Word] = lambda word: word
    ) -> None:
        self._known = {each.samples.tobytes(): each.words for each in known}
        self._tell = tell

    def __call__(self, samples: Samples, language: str) -> list[Word]:
        assert language == "en"
        return [self._tell(word) for word in self._known[samples.tobytes()]]


def moved(start: float, end: float) -> Callable[[Word], Word]:
    return lambda word: replace(word, start=word.start + start, end=word.end + end)


@pytest.fixture(scope="module")
def clips() -> list[Spoken]:
    return spoken_by(Buzzer(), sentences("en")[:5])


def test_clips_have_their_words_and_our_rate(clips: list[Spoken]) -> None:
    assert [w.text for w in clips[0].words] == sentences("en")[0].split()
    for clip in clips:
        assert len(clip.samples) / 16_000 == pytest.approx(clip.words[-1].end + 0.1, abs=0.01)


def test_clip_that_begins_elsewhere_than_it_says_is_left_out() -> None:
    assert spoken_by(Buzzer(late=0.3), sentences("en")) == []


def test_clip_of_other_words_than_are_written_is_left_out() -> None:
    class Mumbler(Buzzer):
        def say(self, text: str) -> Utterance | None:
            return super().say(text + " um")

    assert spoken_by(Mumbler(), sentences("en")) == []


def test_silent_voice_says_nothing() -> None:
    class Silent(Buzzer):
        def say(self, text: str) -> Utterance | None:
            said = super().say(text)
            assert said is not None
            return replace(said, pcm=bytes(len(said.pcm)))

    assert spoken_by(Silent(), sentences("en")) == []


def test_joined_words_are_where_their_sound_is(clips: list[Spoken]) -> None:
    whole = joined(clips)
    assert len(whole.words) == sum(len(clip.words) for clip in clips)
    for word in whole.words:
        inside = whole.samples[round(word.start * 16_000) + 80 : round(word.end * 16_000) - 80]
        assert np.square(inside).mean() > 0.1
    assert whole.words[0].start == pytest.approx(0.9)


def test_truth_is_0_ms_from_the_truth(clips: list[Spoken]) -> None:
    figures = errors_of(Ear(clips), clips).figures()
    assert figures["matched"] == figures["told"] == sum(len(clip.words) for clip in clips)
    assert figures["mean"] == 0.0
    assert figures["F1 at 200 ms"] == figures["intersection over union"] == 100.0


@pytest.mark.parametrize(("start", "end"), [(-0.1, -0.08), (0.03, 0.0), (0.0, -0.25)])
def test_moved_truth_is_as_far_as_it_was_moved(
    clips: list[Spoken], start: float, end: float
) -> None:
    figures = errors_of(Ear(clips, moved(start, end)), clips).figures()
    assert figures["start bias"] == pytest.approx(1000 * start)
    assert figures["end bias"] == pytest.approx(1000 * end)
    assert figures["mean"] == pytest.approx(500 * (abs(start) + abs(end)))
    assert figures["F1 at 200 ms"] == (100.0 if max(abs(start), abs(end)) <= 0.2 else 0.0)
    assert figures["start within 50"] == (100.0 if abs(start) <= 0.05 else 0.0)


def test_words_are_matched_without_case_and_punctuation() -> None:
    true = [Word("Don't", 0.0, 0.5, 1.0), Word("stop,", 0.5, 1.0, 1.0), Word("now.", 1.0, 1.5, 1.0)]
    found = [Word(" don't", 0.0, 0.5, 0.9), Word(" Stop", 0.6, 1.0, 0.9), Word(" No", 1, 2, 0.9)]
    errors = between(found, true)
    assert (errors.told, errors.found, len(errors.starts)) == (3, 3, 2)
    assert errors.starts == pytest.approx([0.0, 0.1])
    assert errors.shares == pytest.approx([1.0, 0.8])


def test_nothing_understood_has_no_times() -> None:
    true = [Word("yes", 0.0, 0.5, 1.0)]
    assert between([], true).figures() == {"told": 1, "matched": 0}
    assert Errors().lead() is None


def test_lead_is_by_how_much_starts_without_a_pause_are_early() -> None:
    true = [Word(text, n / 2, (n + 1) / 2, 1.0) for n, text in enumerate("abcd")]
    true.append(Word("e", 3.0, 3.5, 1.0))  # after a pause
    early = [replace(word, start=word.start - 0.07) for word in true[:4]]
    assert between([*early, replace(true[4], start=2.0)], true).lead() == pytest.approx(0.07)


def test_table_has_both_sides_of_each_voice_and_of_all() -> None:
    parts = spoken_by(Buzzer(), sentences("en")[:3])
    known = [*parts, joined(parts)]
    sides = {"openai": Ear(known, moved(-0.1, -0.1)), "served": Ear(known)}
    lines = list(compare(sides, [Buzzer()], 3))
    assert [line.voice for line in lines] == ["buzzer", "buzzer, joined"]
    *_, last = as_table(lines).splitlines()
    told = str(2 * sum(len(part.words) for part in parts))
    assert [cell.strip() for cell in last.strip("| ").split("|")] == [
        *("all", "", told, told, "100", "0", "-100", "0", "-100", "0", "0", "100", "100", "100")
    ]
    assert all_of(lines).errors["served"].figures()["mean"] == pytest.approx(0.0, abs=1e-9)
    assert lead(lines, "openai") is None  # the buzzer pauses before each word


def test_voice_that_says_nothing_as_written_is_an_error() -> None:
    with pytest.raises(BenchError, match="buzzer says no sentence"):
        list(compare({}, [Buzzer(late=1.0)], 2))


@pytest.mark.parametrize(
    ("sounds", "spans"),
    [
        ([("^", 10), ("a", 20), ("b", 30), (" ", 10), ("c", 30)], [(0.1, 0.6), (0.7, 1.0)]),
        (
            [("a", 50), (",", 20), (" ", 20), ("b", 10), (".", 5), ("$", 5)],
            [(0.0, 0.5), (0.9, 1.0)],
        ),
        ([("^", 10), (".", 5)], []),
        ([], []),
    ],
)
def test_words_are_runs_of_phonemes(sounds: list[tuple[str, int]], spans: list[Span]) -> None:
    assert spans_of(sounds, 100) == spans


def test_voices_that_are_not_installed_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "espeakng_loader", None)
    voices.espeak_library.cache_clear()
    with pytest.raises(BenchError, match=r"espeakng.* is not installed: scripts/setup truth"):
        voices.EspeakVoice("de")
    voices.espeak_library.cache_clear()


def test_sentences_can_be_counted_by_their_blanks() -> None:
    for language in ("en", "de", "fr", "es", "it", "nl", "pt"):
        assert len(sentences(language)) >= 10
        for text in sentences(language):
            assert 30 <= len(text) <= 100
            assert not any(map(str.isdigit, text))
            assert text.split() == text.split(" ")
    assert sentences("xx") == ()


@pytest.mark.parametrize("name", ["joe", "espeak-de", "espeak-es+m3"])
def test_installed_voice_says_when_it_says_its_words(name: str) -> None:
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("piper")
    (voice,) = voices.voices([name])
    (clip,) = spoken_by(voice, sentences(voice.language)[1:2])
    bounds = [time for word in clip.words for time in (word.start, word.end)]
    assert bounds == sorted(bounds)
    assert bounds[-1] <= len(clip.samples) / 16_000


def test_unknown_voice_is_an_error() -> None:
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("piper")
    with pytest.raises(BenchError, match="no voice is named 'nobody'; there are joe, espeak-"):
        voices.voices(["joe", "nobody"])
