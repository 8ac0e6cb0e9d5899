"""Headers that state more than there is: by up to a second it is read, by more it is refused."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest

from models.audio.container.truncation import slack
from models.audio.load.load_audio import load
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import encode, tone, wav

_STATED = 6.0

# All whose headers state the length of the sound, in time or in bytes.
_FORMATS = [
    ("aiff", "pcm_s16be"),
    ("au", "pcm_s16be"),
    ("caf", "pcm_s16le"),
    ("flac", "flac"),
    ("matroska", "libopus"),
    ("mp3", "libmp3lame"),
    ("w64", "pcm_s16le"),
    ("wav", "adpcm_ima_wav"),
    ("wav", "adpcm_ms"),
    ("wav", "libmp3lame"),
    ("wav", "pcm_alaw"),
    ("wav", "pcm_f32le"),
    ("wav", "pcm_s16le"),
]


def header_ahead(rate: int, channels: int, bits: int, missing: int) -> bytes:
    """A WAV file of three seconds whose header states `missing` bytes more than there are."""
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * frame, frame, bits)
    body = bytes([128 if bits == 8 else 0]) * (3 * rate * frame)
    data = struct.pack("<4sI", b"data", len(body) + missing)
    content = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + data + body
    return b"RIFF" + struct.pack("<I", len(content) + missing) + content


@pytest.mark.parametrize("buffer", [44, 256, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536])
@pytest.mark.parametrize(
    ("rate", "channels", "bits"),
    [(8_000, 1, 8), (8_000, 1, 16), (16_000, 1, 16), (44_100, 2, 16), (192_000, 2, 32)],
)
def test_wav_header_ahead_by_a_buffer(rate: int, channels: int, bits: int, buffer: int) -> None:
    data = header_ahead(rate, channels, bits, buffer)
    if buffer > 1.05 * rate * channels * bits // 8:
        with pytest.raises(AudioError, match="cut off"):
            load(io.BytesIO(data))
    else:
        assert len(load(io.BytesIO(data))) == 3 * SAMPLE_RATE


@pytest.mark.parametrize(("container", "codec"), _FORMATS)
@pytest.mark.parametrize("missing", [0.1, 0.4, 0.7])
def test_less_than_a_second_may_be_missing(container: str, codec: str, missing: float) -> None:
    data = encode(container, codec, SAMPLE_RATE, _STATED)
    whole, found = (len(load(io.BytesIO(each))) for each in (data, _without(data, missing)))
    assert 0 < whole - found < (missing + 0.2) * SAMPLE_RATE


@pytest.mark.parametrize(("container", "codec"), _FORMATS)
@pytest.mark.parametrize("missing", [1.3, 3.0, 4.0])
def test_more_than_a_second_is_cut_off(container: str, codec: str, missing: float) -> None:
    data = encode(container, codec, SAMPLE_RATE, _STATED)
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(_without(data, missing)))


def _without(data: bytes, seconds: float) -> bytes:
    return data[: round(len(data) * (1 - seconds / _STATED))]


@pytest.mark.parametrize("seconds", [0.3, 0.9, 1.5, 2.9])
def test_half_of_a_short_recording_is_cut_off(seconds: float) -> None:
    data = wav(tone(SAMPLE_RATE, 1, seconds))
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(data[: 44 + (len(data) - 44) // 2]))
    assert len(load(io.BytesIO(data[: -len(data) // 4]))) > 0.7 * seconds * SAMPLE_RATE


@pytest.mark.parametrize("container", ["ogg", "mp4"])
def test_pages_and_fragments_do_not_say_what_follows_them(container: str) -> None:
    options = {"movflags": "frag_every_frame+empty_moov"} if container == "mp4" else {}
    data = remuxed(encode("ogg", "libopus", SAMPLE_RATE, 20.0), container, options)
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(data[: len(data) // 2]))


def remuxed(data: bytes, container: str, options: dict[str, str]) -> bytes:
    """The same packets in another container."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(data), "r") as given,
        av.open(file, "w", format=container, container_options=options) as output,
    ):
        stream = output.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    return file.getvalue()


def test_mp4_may_lack_less_than_a_second() -> None:
    data = _with_index_first(encode("mp4", "aac", SAMPLE_RATE, _STATED))
    rate = (len(data) - data.index(b"mdat")) / _STATED
    assert len(load(io.BytesIO(data[: -round(0.8 * rate)]))) > 5 * SAMPLE_RATE
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(data[: -round(1.3 * rate)]))


def _with_index_first(data: bytes) -> bytes:
    """The same MP4 file with `moov` before `mdat`, as for streaming."""
    start = data.index(b"moov") - 4
    moov, media = bytearray(data[start:]), data.index(b"mdat") - 4
    at = moov.index(b"stco") + 8
    (count,) = struct.unpack(">I", moov[at : at + 4])
    offsets = np.frombuffer(bytes(moov[at + 4 : at + 4 + 4 * count]), ">u4") + len(moov)
    moov[at + 4 : at + 4 + 4 * count] = offsets.astype(">u4").tobytes()
    return data[:media] + bytes(moov) + data[media:start]


@pytest.mark.parametrize(("stated", "missing"), [(0.3, 0.1), (3.0, 1.0), (60.0, 1.05)])
def test_slack_is_a_second_and_a_third_at_most(stated: float, missing: float) -> None:
    assert slack(stated) == pytest.approx(missing)
    assert slack(stated * 32_000, 32_000) == pytest.approx(missing * 32_000)


@pytest.mark.parametrize(
    ("container", "codec"),
    [("asf", "libmp3lame"), ("avi", "pcm_s16le"), ("flv", "aac"), ("tta", "tta")],
)
def test_half_of_a_file_is_cut_off(container: str, codec: str) -> None:
    data = encode(container, codec, SAMPLE_RATE, _STATED)
    assert len(load(io.BytesIO(data))) >= _STATED * SAMPLE_RATE
    with pytest.raises(AudioError, match="cut off"):
        load(io.BytesIO(data[: len(data) // 2]))


@pytest.mark.parametrize(("container", "codec"), [("w64", "pcm_s16le"), ("avi", "pcm_s16le")])
def test_a_length_that_was_left_open_is_none(container: str, codec: str) -> None:
    data = encode(container, codec, SAMPLE_RATE, _STATED)
    if container == "w64":
        at = data.index(b"data") + 16
        data = data[:at] + struct.pack("<Q", (1 << 63) - 1) + data[at + 8 :]
    else:
        data = data[:4] + struct.pack("<I", 0xFFFF_FFFF) + data[8:]
    assert len(load(io.BytesIO(data))) == _STATED * SAMPLE_RATE
