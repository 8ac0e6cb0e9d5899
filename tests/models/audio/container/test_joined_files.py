"""More sound than the first header says: files in a row, and lengths that are too short."""

from __future__ import annotations

import io
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.audio.container.joined_files import parts
from models.audio.container.length import estimated_seconds
from models.audio.container.sections import HEAD
from models.audio.load.load_audio import AudioFile, load
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import encode, wav

Samples = npt.NDArray[np.floating]

_UNCOMPRESSED = [
    ("aiff", "pcm_s16be"),
    ("au", "pcm_s16be"),
    ("caf", "pcm_s16le"),
    ("w64", "pcm_s16le"),
    ("wav", "pcm_s16le"),
    ("wav", "pcm_alaw"),
    ("wav", "pcm_f32le"),
    ("wav", "adpcm_ms"),
]
_COMPRESSED = [
    ("adts", "aac"),
    ("flac", "flac"),
    ("matroska", "libopus"),
    ("mp3", "libmp3lame"),
    ("mp4", "aac"),
    ("ogg", "libopus"),
    ("wav", "libmp3lame"),
    ("webm", "libopus"),
]
_TAG = b"LIST" + struct.pack("<I", 12) + b"INFOISFT\0\0\0\0"


def pitch(samples: Samples) -> float:
    """The loudest frequency in Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples))


def tone(frequency: float, seconds: float, rate: int = SAMPLE_RATE) -> npt.NDArray[np.int16]:
    """A tone at a quarter of full scale, `[samples, 1]`."""
    times = np.arange(round(rate * seconds)) / rate
    return (8192 * np.sin(2 * np.pi * frequency * times)).astype("<i2")[:, None]


def assert_holds(data: bytes, *tones: tuple[float, float]) -> None:
    """Fails unless it is these frequencies for so many seconds, one behind the other."""
    samples = load(io.BytesIO(data))
    ends = np.cumsum([0.0, *(seconds for _, seconds in tones)])
    assert len(samples) / SAMPLE_RATE == pytest.approx(ends[-1], abs=0.02)
    for (frequency, _), (start, end) in zip(tones, pairwise(ends), strict=True):
        inner = samples[round((start + 0.1) * SAMPLE_RATE) : round((end - 0.1) * SAMPLE_RATE)]
        assert pitch(inner) == pytest.approx(frequency, abs=3)


@pytest.mark.parametrize(("container", "codec"), _UNCOMPRESSED + _COMPRESSED)
def test_files_in_a_row_are_read_to_the_end(container: str, codec: str) -> None:
    rates = (16_000, 48_000, 48_000, 16_000)
    data = b"".join(encode(container, codec, rate, 1.0 + rate / 48_000) for rate in rates)
    # lossy codecs add up to 0.15 s a file
    assert 6.6 <= len(load(io.BytesIO(data))) / SAMPLE_RATE < 7.3


def test_wavs_of_one_kind_are_one_file() -> None:
    data = b"".join(wav(tone(300 + 100 * each, 1.0)) for each in range(4))
    assert len(parts(io.BytesIO(data))) == 1
    assert_holds(data, (300, 1.0), (400, 1.0), (500, 1.0), (600, 1.0))


def test_wavs_of_other_rates_and_channels_are_read_in_turn() -> None:
    stereo = np.repeat(tone(500, 1.0, 44_100), 2, axis=1)
    data = wav(tone(300, 1.0, 8_000), 8_000) + wav(stereo, 44_100) + wav(tone(700, 2.0))
    assert len(parts(io.BytesIO(data))) == 3
    assert_holds(data, (300, 1.0), (500, 1.0), (700, 2.0))


def test_wavs_with_chunks_between_them() -> None:
    data = b"".join(wav(tone(each, 1.0)) + _TAG for each in (300, 500))
    assert_holds(data, (300, 1.0), (500, 1.0))


@pytest.mark.parametrize("length", [0, 0x7FFF_F000, 0xFFFF_FFFF])
def test_piped_wavs_of_unknown_length_in_a_row(length: int) -> None:
    data = b"".join(wav(tone(each, 1.0), length=length) for each in (300, 500, 700))
    assert_holds(data, (300, 1.0), (500, 1.0), (700, 1.0))


def test_an_empty_wav_before_the_others() -> None:
    data = wav(tone(300, 0.0)) + wav(tone(300, 1.0)) + wav(tone(500, 1.0))
    assert_holds(data, (300, 1.0), (500, 1.0))


def test_wav_of_odd_length_without_padding() -> None:
    first = wav(tone(300, 1.0), length=32_001) + b"\0"
    assert_holds(first + wav(tone(500, 1.0)), (300, 1.0), (500, 1.0))


@pytest.mark.parametrize("stated", [3_200, 16_000, 31_000])
def test_header_of_the_first_buffer_alone(stated: int) -> None:
    assert_holds(wav(tone(300, 1.0), length=stated), (300, 1.0))


def test_header_of_the_first_buffer_of_each_of_two() -> None:
    data = wav(tone(300, 1.0), length=3_200) + wav(tone(500, 1.0, 8_000), 8_000, length=1_600)
    assert_holds(data, (300, 1.0), (500, 1.0))


@pytest.mark.parametrize(("container", "codec"), _UNCOMPRESSED)
def test_header_with_half_of_the_length(container: str, codec: str) -> None:
    half, whole = encode(container, codec, seconds=2.0), encode(container, codec, seconds=4.0)
    expected = load(io.BytesIO(whole))
    # its beginning as in the short file: header, and as much sound as that has
    head = next(at for at in range(len(half), 0, -1) if half[at - 50 : at] == whole[at - 50 : at])
    found = load(io.BytesIO(half[:head] + whole[head:]))
    assert len(found) == pytest.approx(len(expected), abs=0.02 * SAMPLE_RATE)
    assert pitch(found[len(expected) // 2 :]) == pytest.approx(440, abs=3)


@pytest.mark.parametrize(
    "behind",
    [
        _TAG,
        _TAG + b"id3 " + struct.pack("<I", 4) + b"ID3\4",
        b"cue " + struct.pack("<I", 4) + bytes(4),
        _TAG + b"id3 " + struct.pack("<I", 900) + b"ID3\4",
        _TAG + bytes(600),
        b"bext" + struct.pack("<I", 4000) + bytes(4000),
        b"LIST" + struct.pack("<I", 9000) + bytes(4000),  # cut off, but no sound
        b"data" + struct.pack("<I", 0),
        b"TAG" + bytes(125),
        bytes(100),
        b"\0",
    ],
)
def test_what_rightly_stands_behind_the_sound_is_none(behind: bytes) -> None:
    data = wav(tone(300, 1.0))
    np.testing.assert_array_equal(load(io.BytesIO(data + behind)), load(io.BytesIO(data)))


def rf64(samples: npt.NDArray[np.int16], stated: int, magic: bytes = b"RF64") -> bytes:
    """A WAV file whose 64-bit length of the sound is `stated`."""
    data = wav(samples, length=0xFFFF_FFFF)
    wide = b"ds64" + struct.pack("<IQQQI", 28, 36 + len(samples), stated, len(samples), 0)
    return magic + b"\xff" * 4 + b"WAVE" + wide + data[12:]


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
@pytest.mark.parametrize("stated", [64_000, 0, 3_200, 64_000 + 16_000, (1 << 64) - 1])
def test_rf64_of_any_stated_length(stated: int, magic: bytes) -> None:
    assert_holds(rf64(tone(300, 2.0), stated, magic), (300, 2.0))


def test_rf64_that_is_cut_off() -> None:
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(rf64(tone(300, 2.0), 5 << 30)))


def test_rf64_in_a_row() -> None:
    data = rf64(tone(300, 1.0), 32_000) + rf64(tone(500, 1.0), 32_000) + wav(tone(700, 1.0))
    assert_holds(data, (300, 1.0), (500, 1.0), (700, 1.0))


def test_wav_of_more_than_4_gib(tmp_path: Path) -> None:
    # An hour and a half of 8 channels in 96 kHz; a length of 32 bits begins again at 0.
    rate, frame, seconds = 96_000, 16, 3_000
    size = rate * frame * seconds
    head = wav(np.zeros((0, 8), np.int16), rate, length=size % (1 << 32))
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
        file.seek(len(head) + size - 96)
        file.write(b"end!" * 24)
    with path.open("rb") as source:
        assert estimated_seconds(source) == pytest.approx(seconds, abs=0.1)
        (part,) = parts(source)
        assert part.seek(0, 2) == len(head) + size
        part.seek(-96, 2)
        assert part.read() == b"end!" * 24
        with pytest.raises(AudioError, match=r"60 seconds are the most .* it has 3000\.00"):
            AudioFile(source, 60)


def test_limit_counts_all_that_stands_in_a_row() -> None:
    data = wav(tone(300, 2.0)) + wav(tone(300, 2.0, 8_000), 8_000) + wav(tone(300, 2.0))
    with pytest.raises(AudioError, match=r"5 seconds are the most .* it has 6\.00 or more"):
        list(AudioFile(io.BytesIO(data), 5).pieces())
    assert sum(map(len, AudioFile(io.BytesIO(data), 6).pieces())) == 6 * SAMPLE_RATE


def test_the_last_one_is_cut_off() -> None:
    first, second = wav(tone(300, 2.0)), wav(tone(300, 3.0, 8_000), 8_000)
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(first + second[: len(second) // 2]))
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(first + first + first[: len(first) // 4]))


def test_packets_behind_the_stated_length_are_refused() -> None:
    data = encode("caf", "alac", 16_000, 2.0)
    with pytest.raises(AudioError, match="more sound than its header says"):
        load(io.BytesIO(data + data[500:]))


def test_a_file_of_tiny_wavs_is_refused_soon() -> None:
    tiny = wav(tone(300, 0.001))
    with pytest.raises(AudioError, match="too many parts"):
        load(io.BytesIO(tiny * 51_000))
    assert len(load(io.BytesIO(tiny * 2_000))) == 2_000 * 16


def test_wav_in_the_sound_of_a_wav_is_sound() -> None:
    inner = np.frombuffer(wav(tone(300, 1.0)), "<i2")[:, None]
    assert HEAD.search(wav(inner), 44)
    assert len(load(io.BytesIO(wav(inner)))) == len(inner)


@pytest.mark.parametrize("count", [1, 3, 50])
def test_estimate_counts_all_that_stands_in_a_row(count: int) -> None:
    data = wav(tone(300, 2.0)) + count * wav(tone(300, 2.0, 8_000), 8_000)
    assert estimated_seconds(io.BytesIO(data)) == pytest.approx(2 + 2 * count, abs=0.01)


def test_estimate_does_not_believe_a_short_header() -> None:
    short, long = encode("flac", "flac", seconds=0.1), encode("flac", "flac", seconds=60.0)
    assert estimated_seconds(io.BytesIO(short + long)) > 1
    assert estimated_seconds(io.BytesIO(wav(tone(300, 5.0), length=320))) == pytest.approx(5.0)
