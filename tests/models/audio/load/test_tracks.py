"""The track that is read: a player's choice, or the request's; and its channel."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
import pytest
from av.stream import Disposition

from models.audio.load.load_audio import AudioFile, load
from models.audio.load.track import packet_seconds
from models.audio.sandbox.reader import Sandbox
from models.audio_options import AudioTrack, ReadOptions
from models.errors import AudioError, OptionError
from models.language.language_tags import same_language
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import tone, wav
from tests.speech_clips import OWN_SPEECH

FILES = OWN_SPEECH / "clips" / "timed"
RATE = 48_000


@dataclass(frozen=True)
class Given:
    """A track with a tone of so many hertz."""

    hertz: int
    language: str | None = None
    is_default: bool = False
    seconds: float = 2.0
    codec: str = "libmp3lame"


def with_tracks(container: str, *tracks: Given) -> io.BytesIO:
    """A file with these audio tracks, side by side."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        streams = []
        for track in tracks:
            stream = output.add_stream(track.codec, rate=RATE, layout="mono")
            assert isinstance(stream, av.AudioStream)
            if track.language:
                stream.metadata["language"] = track.language
            stream.disposition = Disposition.default if track.is_default else Disposition(0)
            streams.append(stream)
        for stream, track in zip(streams, tracks, strict=True):
            for frame in _frames(stream, track):
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return file


def _frames(stream: av.AudioStream, track: Given) -> Sequence[av.AudioFrame]:
    times = np.arange(round(track.seconds * RATE)) / RATE
    signal = (8192 * np.sin(2 * np.pi * track.hertz * times)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(signal[None], format="s16", layout="mono")
    frame.rate, frame.pts = RATE, 0
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format, stream.layout, RATE, size)
    return [*resampler.resample(frame), *resampler.resample(None)]


def hertz(source: io.BytesIO, **options: int | str) -> int:
    """The tone that is read, by its loudest second."""
    samples = load(source, ReadOptions(**options))  # type: ignore[arg-type]
    return int(np.argmax(np.abs(np.fft.rfft(samples[SAMPLE_RATE // 2 :][:SAMPLE_RATE]))))


CONTAINERS = ["matroska", "mp4", "mov", "nut"]
_MORE = [("en-US", 500), ("fr", 700), ("fre", 700)]
_WORDS = [("audio_track", "english"), ("audio_track", "e"), ("audio_track", "en\n")]
GERMAN, ENGLISH, FRENCH = Given(300, "ger"), Given(500, "eng", is_default=True), Given(700, "fra")


@pytest.mark.parametrize("container", CONTAINERS)
def test_default_track_is_read(container: str) -> None:
    assert hertz(with_tracks(container, GERMAN, ENGLISH, FRENCH)) == 500


@pytest.mark.parametrize("container", [*CONTAINERS, "mpegts", "asf", "avi"])
def test_first_of_equal_tracks_is_read(container: str) -> None:
    assert hertz(with_tracks(container, Given(300), Given(500), Given(700))) == 300


def test_default_of_the_given_file() -> None:
    with (FILES / "default2.mkv").open("rb") as file:
        assert AudioFile(file).track == AudioTrack(1, 2, "eng")


def test_default_track_without_a_decoder_is_passed_over() -> None:
    file = with_tracks("matroska", GERMAN, Given(500, "eng", is_default=True))
    data = bytearray(file.getvalue())
    at = data.rindex(b"A_MPEG/L3", 0, 2000)
    data[at : at + 9] = b"A_UNKNOWN"
    assert hertz(io.BytesIO(bytes(data))) == 300
    with pytest.raises(OptionError, match="codec that is not supported"):
        load(io.BytesIO(bytes(data)), ReadOptions(audio_track=1))


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(0, 300), (1, 500), (2, 700), ("de", 300), ("deu", 300), ("ger", 300), ("EN", 500), *_MORE],
)
def test_track_by_index_or_language(container: str, wanted: int | str, expected: int) -> None:
    file = with_tracks(container, GERMAN, ENGLISH, FRENCH)
    assert hertz(file, audio_track=wanted) == expected


def test_default_is_taken_among_tracks_of_one_language() -> None:
    file = with_tracks("matroska", Given(300, "eng"), Given(500, "eng", is_default=True), FRENCH)
    assert hertz(file, audio_track="en") == 500


@pytest.mark.parametrize("wanted", [3, 999, "ja", "jpn", "zxx"])
def test_track_that_is_not_there_names_those_that_are(wanted: int | str) -> None:
    file = with_tracks("matroska", GERMAN, Given(500), FRENCH)
    with pytest.raises(OptionError) as caught:
        load(file, ReadOptions(audio_track=wanted))
    assert caught.value.option == "audio_track"
    assert "the indexes are 0 (ger), 1 (" in caught.value.message
    assert "2 (fra)" in caught.value.message


def test_length_and_limit_are_of_the_track_that_is_read() -> None:
    file = with_tracks("matroska", Given(300, "ger", seconds=2), Given(500, "eng", seconds=20))
    assert packet_seconds(file, 1000, "de") == pytest.approx(2, abs=0.1)
    assert packet_seconds(file, 1000, "en") == pytest.approx(20, abs=0.1)
    limited = with_tracks("mov", Given(300, "ger", seconds=2), Given(500, "eng", seconds=20))
    assert list(AudioFile(limited, 5, ReadOptions(audio_track="de")).pieces())
    with pytest.raises(AudioError, match="too long"):
        AudioFile(limited, 5, ReadOptions(audio_track="en"))


def test_tag_that_is_none_is_not_told() -> None:
    file = with_tracks("matroska", Given(300, "eng\r\nset-cookie: a=b"), Given(500, "und"))
    assert AudioFile(file, options=ReadOptions(audio_track=0)).track.language is None
    assert AudioFile(file, options=ReadOptions(audio_track=1)).track.language is None


@pytest.mark.parametrize(
    ("tag", "other", "same"),
    [
        ("eng", "en", True),
        ("ger", "deu", True),
        ("chi", "zh-Hans", True),
        ("pt-BR", "por", True),
        ("pt-BR", "pt-PT", False),
        ("nob", "no", True),
        ("iw", "heb", True),
        ("yue", "zh", False),
        ("en", "enm", False),
    ],
)
def test_same_language(tag: str, other: str, same: bool) -> None:
    assert same_language(tag, other) is same
    assert same_language(other, tag) is same


def test_sandbox_reads_the_track_and_says_which() -> None:
    file = with_tracks("matroska", GERMAN, ENGLISH, FRENCH)
    box, told = Sandbox(), list[AudioTrack]()
    try:
        read = np.concatenate(list(box.read(file, ReadOptions(audio_track="fr"), told.append)))
        np.testing.assert_array_equal(read, load(file, ReadOptions(audio_track=2)))
        assert told == [AudioTrack(2, 3, "fra")]
        with pytest.raises(OptionError, match="the indexes are 0"):
            list(box.read(file, ReadOptions(audio_track="ja")))
    finally:
        box.close()


@pytest.mark.parametrize("channel", [0, 1, 4])
def test_one_channel_alone(channel: int) -> None:
    channels = np.zeros((SAMPLE_RATE, 5), np.int16)
    channels[:, channel] = tone(SAMPLE_RATE)[:, 0]
    read = load(io.BytesIO(wav(channels)), ReadOptions(channel=channel))
    np.testing.assert_allclose(read * 32768, channels[:, channel], atol=1)
    other = load(io.BytesIO(wav(channels)), ReadOptions(channel=(channel + 1) % 5))
    assert not other.any()


def test_channel_that_is_not_there_is_named() -> None:
    with pytest.raises(OptionError, match="no channel 2: it has 2") as caught:
        load(io.BytesIO(wav(tone(SAMPLE_RATE, 2))), ReadOptions(channel=2))
    assert caught.value.option == "channel"


@pytest.mark.parametrize(
    ("option", "value"),
    [("channel", -1), ("channel", 64), ("audio_track", -1), ("audio_track", 1000), *_WORDS],
)
def test_options_that_cannot_be(option: str, value: int | str) -> None:
    with pytest.raises(OptionError) as caught:
        ReadOptions(**{option: value})  # type: ignore[arg-type]
    assert caught.value.option == option


@pytest.mark.parametrize(
    "options", [ReadOptions(), ReadOptions(3, 7), ReadOptions(audio_track="zh-Hans-CN")]
)
def test_options_go_to_another_process(options: ReadOptions) -> None:
    assert ReadOptions.from_bytes(options.to_bytes()) == options
