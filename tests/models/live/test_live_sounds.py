"""Live sessions among sounds that are no speech, and speech that is hard to hear among them.

With WHISPER_SPEECH it is another corpus's sound, its music among it; then it takes half an hour.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.checkpoints.weights import Weights
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from models.live.events import SpeechStarted
from models.live.live_options import ServerVad
from models.options import VoiceOptions
from models.transcription.transcriber import Transcriber
from models.units import SAMPLE_RATE
from tests.models.live.sounds import NOISES, TONES, chords
from tests.models.live.speaking import completions, options, silence
from tests.models.live.test_live_speech import errors, file_text, heard
from tests.speech_clips import Clip, clips

IS_WHOLE = "WHISPER_SPEECH" in os.environ
LIVE = options(model="base", turn_detection=ServerVad())
LONG_PAUSES = options(
    model="base", turn_detection=ServerVad(VoiceOptions(silence_duration_ms=2000))
)
MUSIC = clips("none", "music")
SPOKEN = [clip for clip in clips("en", "read") if 2.5 < clip.seconds < 16]
SPOKEN = SPOKEN[:: len(SPOKEN) // 16] if IS_WHOLE else SPOKEN[:3]


@pytest.fixture(scope="module")
def base(weights: Callable[[str], Weights]) -> Iterator[Transcriber]:
    transcriber = Transcriber(start_engine(weights("base"), EngineConfig(device="cpu")))
    yield transcriber
    transcriber.close()


def words(base: Transcriber, sound: Samples) -> list[str]:
    """What is heard in a sound, twice over."""
    return [
        event.transcript
        for event in completions(heard(base, LIVE, sound, sound))
        if event.transcript
    ]


@pytest.mark.parametrize("name", TONES)
def test_no_turn_begins_for_what_hums_or_beeps(base: Transcriber, name: str) -> None:
    sound = TONES[name]()
    events = heard(base, LIVE, sound, sound)
    assert [event for event in events if isinstance(event, SpeechStarted)] == []


def test_nothing_is_heard_where_nobody_speaks(base: Transcriber) -> None:
    sounds = {name: make() for name, make in NOISES.items()}
    sounds |= {str(clip): load(clip.path)[: 60 * SAMPLE_RATE] for clip in clips("none")}
    loud = {name: text for name, sound in sounds.items() if (text := words(base, sound))}
    assert len(loud) <= len(sounds) * 5 // 100, loud


def over(clip: Clip, music: Samples) -> Samples:
    """A clip over music that is 10 dB softer, which begins before it."""
    voice = np.concatenate([silence(1), load(clip.path), silence(1)])
    softer = np.float32(voice.std() * 10 ** (-10 / 20) / music.std())
    both: Samples = voice + softer * np.resize(music, len(voice))
    return both


def soft(clip: Clip) -> Samples:
    softer: Samples = load(clip.path) * np.float32(10 ** (-30 / 20))
    return softer


def behind(base: Transcriber, treated: list[tuple[Clip, Samples]]) -> float:
    """Points of WER by which live text of clips is worse than that of the same files."""
    live = file = total = 0
    for clip, sound in treated:
        events = heard(base, LONG_PAUSES, sound, silence(2.5))
        text = " ".join(event.transcript for event in completions(events))
        assert any(isinstance(event, SpeechStarted) for event in events), clip
        live += errors(clip.text, text)
        file += errors(clip.text, file_text(base, sound))
        total += len(clip.text.split())
    return 100 * (live - file) / total


def test_speech_over_music_is_understood_as_in_files(base: Transcriber) -> None:
    music = [load(clip.path) for clip in MUSIC] or [chords()]
    treated = [(clip, over(clip, music[n % len(music)])) for n, clip in enumerate(SPOKEN)]
    assert behind(base, treated) <= 3


def test_soft_speech_is_understood_as_in_files(base: Transcriber) -> None:
    assert behind(base, [(clip, soft(clip)) for clip in SPOKEN]) <= 3
