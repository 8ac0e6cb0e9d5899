"""Allow-lists of FFmpeg: demuxers, and decoders of sound alone."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec import Codec
from av.container import InputContainer

from models.audio.container.demuxer import open_container
from models.audio.container.formats import CONTAINERS, DECODERS
from models.audio.load.load_audio import AudioFile, load
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import assert_samples_or_audio_error, encode, tone
from tests.models.audio.load.test_presentation_time import WITH_PICTURES
from tests.models.audio.timed_files import Burst, Kind, heard, timed
from tests.speech_clips import OWN_SPEECH

FILES = OWN_SPEECH / "clips" / "timed"

# Those that `test_load.py` has not.
ADDED = [
    ("au", "pcm_mulaw", 8_000),
    ("gxf", "pcm_s16le", 48_000),
    ("ircam", "pcm_s16le", 22_050),
    ("latm", "aac", 48_000),
    ("mmf", "adpcm_yamaha", 8_000),
    ("mxf_opatom", "pcm_s16le", 48_000),
    ("nut", "pcm_s16le", 44_100),
    ("rm", "ac3", 48_000),
    ("sox", "pcm_s32le", 32_000),
    ("tta", "tta", 44_100),
    ("voc", "pcm_s16le", 16_000),
    ("wtv", "mp2", 48_000),
    ("wv", "wavpack", 44_100),
]
PICTURED = [
    *WITH_PICTURES,
    Kind("avi", "pcm_s16le", "mpeg4"),
    Kind("avi", "libmp3lame", "magicyuv"),
    Kind("avi", "libmp3lame", "huffyuv"),
    Kind("matroska", "libopus", "ffv1"),
    Kind("matroska", "libopus", "libx265"),
    Kind("matroska", "libopus", "mjpeg"),
    Kind("mov", "pcm_s16le", "png"),
    Kind("mp4", "aac", "libx265"),
    Kind("mxf", "pcm_s16le", "mpeg2video"),
    Kind("rm", "ac3", "rv10"),
]


def formats_of_pictures(container: InputContainer) -> list[str | None]:
    """The pixel format of each video stream, which a decoder tells of these; None: none has."""
    formats = [stream.codec_context.format for stream in container.streams.video]
    return [each.name if each else None for each in formats]


def test_all_names_are_those_of_the_installed_ffmpeg() -> None:
    names = {each for name in av.formats_available for each in name.split(",")}
    assert names >= CONTAINERS
    assert av.codecs_available >= DECODERS


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_decoders_are_of_sound(name: str) -> None:
    assert Codec(name, "r").type == "audio"


def test_decoders_with_known_faults_and_foreign_libraries_are_out() -> None:
    assert DECODERS.isdisjoint({"adpcm_adx", "shorten", "mpc7", "libopus", "libopencore_amrnb"})


@pytest.mark.parametrize("kind", PICTURED, ids=str)
def test_no_decoder_of_pictures_is_opened(kind: Kind) -> None:
    data = timed(kind, [Burst(0, 2)])
    with av.open(io.BytesIO(data), "r") as plain:
        assert None not in formats_of_pictures(plain), "a decoder must tell without the list"

    with open_container(io.BytesIO(data)) as container:
        assert formats_of_pictures(container) == [None]
        video = container.streams.video[0]
        assert video.codec_context is None or not video.codec_context.is_open

    assert heard(load(io.BytesIO(data)))[0] == pytest.approx((0, 2), abs=0.1)


@pytest.mark.parametrize("name", ["mp3", "mp4", "flac"])
@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_cover_is_not_decoded(name: str, codec: str) -> None:
    data = _with_cover(name, codec)
    with av.open(io.BytesIO(data), "r") as plain:
        assert None not in formats_of_pictures(plain), "a decoder must tell without the list"

    with open_container(io.BytesIO(data)) as container:
        assert formats_of_pictures(container) == [None]
    assert len(load(io.BytesIO(data))) / SAMPLE_RATE == pytest.approx(2, abs=0.15)


def _with_cover(container: str, codec: str) -> bytes:
    file = io.BytesIO()
    audio = "flac" if container == "flac" else "libmp3lame"
    with av.open(file, "w", format=container) as output:
        sound = output.add_stream(audio, rate=48_000, layout="mono")
        cover = output.add_stream(codec, rate=1)
        assert isinstance(sound, av.AudioStream)
        assert isinstance(cover, av.VideoStream)
        cover.width = cover.height = 1000
        cover.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        noise = np.random.default_rng(1).integers(0, 255, (1000, 1000, 3), np.uint8)
        picture = av.VideoFrame.from_ndarray(noise).reformat(format=cover.pix_fmt)
        output.mux([*cover.encode(picture), *cover.encode(None)])
        frame = av.AudioFrame.from_ndarray(tone(48_000, 1, 2.0).T, format="s16", layout="mono")
        frame.rate = 48_000
        resampler = av.AudioResampler(sound.format, sound.layout, 48_000, sound.frame_size)
        for piece in (*resampler.resample(frame), *resampler.resample(None), None):
            output.mux(sound.encode(piece))
    return file.getvalue()


@pytest.mark.parametrize(("container", "codec", "rate"), ADDED)
def test_container_is_read(container: str, codec: str, rate: int) -> None:
    assert_tone(encode(container, codec, rate))


@pytest.mark.parametrize(("container", "codec", "rate"), ADDED)
def test_limit_in_seconds_holds(container: str, codec: str, rate: int) -> None:
    with pytest.raises(AudioError, match="1 seconds are the most"):
        list(AudioFile(io.BytesIO(encode(container, codec, rate)), 1).pieces())


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
@pytest.mark.parametrize(("container", "codec", "rate"), ADDED)
def test_cut_file_gives_its_beginning_or_an_error(
    container: str, codec: str, rate: int, share: float
) -> None:
    data = encode(container, codec, rate)
    assert_samples_or_audio_error(data[: int(len(data) * share)])


def assert_tone(data: bytes) -> None:
    """Two seconds of the tone of `encode`."""
    samples = load(io.BytesIO(data))
    assert 1.99 < len(samples) / SAMPLE_RATE < 2.15
    middle = samples[SAMPLE_RATE // 2 : 3 * SAMPLE_RATE // 2]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 440
    assert np.abs(middle).max() == pytest.approx(0.25, abs=0.03)


def test_broadcasters_file_is_read() -> None:
    samples = load(FILES / "broadcast.mxf")
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.2, abs=0.01)
    assert heard(samples)


def test_cut_broadcasters_file_gives_its_beginning_or_an_error() -> None:
    data = (FILES / "broadcast.mxf").read_bytes()
    for share in np.linspace(0.05, 0.95, 10):
        assert_samples_or_audio_error(data[: int(len(data) * share)])


def test_camcorders_file_is_read() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="dv") as output:
        pictures = output.add_stream("dvvideo", rate=25)
        sound = output.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        assert isinstance(pictures, av.VideoStream)
        assert isinstance(sound, av.AudioStream)
        pictures.width, pictures.height, pictures.pix_fmt = 720, 576, "yuv420p"
        black = np.zeros((576 * 3 // 2, 720), np.uint8)
        signal = tone(48_000, 2, 2.0)
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(black, format="yuv420p")
            frame.pts = number
            output.mux(pictures.encode(frame))
            part = np.ascontiguousarray(signal[number * 1920 :][:1920]).reshape(1, -1)
            piece = av.AudioFrame.from_ndarray(part, format="s16", layout="stereo")
            piece.rate, piece.pts = 48_000, number * 1920
            output.mux(sound.encode(piece))
    assert_tone(file.getvalue())


def test_corpus_file_of_nist_is_read() -> None:
    lines = ["NIST_1A", "   1024", "channel_count -i 1", "sample_rate -i 16000"]
    lines += ["sample_count -i 32000", "sample_n_bytes -i 2", "sample_byte_format -s2 01"]
    lines += ["sample_coding -s3 pcm", "end_head", ""]
    header = "\n".join(lines).encode().ljust(1024, b"\n")
    assert_tone(header + tone(16_000, 1, 2.0).astype("<i2").tobytes())


def test_answering_machines_file_is_read() -> None:
    assert_tone(b"PVF1\n1 16000 16\n" + tone(16_000, 1, 2.0).astype(">i2").tobytes())


def test_atari_file_is_read() -> None:
    samples = tone(16_000, 1, 2.0)
    values = (b"2BIT", b"tone", 0, 16, -1, 0, -1, 16_000, 32_000, 0, 0)
    head = struct.pack(">4s8shhhhhIIII", *values)
    assert_tone(head.ljust(128, b"\0") + samples.astype(">i2").tobytes())


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("adx", "adpcm_adx"),
        ("smjpeg", "pcm_s16le"),
        ("swf", "libmp3lame"),
        ("apm", "adpcm_ima_apm"),
    ],
)
def test_container_that_is_not_in_the_list_is_refused(container: str, codec: str) -> None:
    with pytest.raises(AudioError, match="supported format"):
        load(io.BytesIO(encode(container, codec, 22_050)))


def test_decoder_that_is_not_in_the_list_is_not_reached() -> None:
    data = encode("wav", "dfpwm", 48_000)
    with av.open(io.BytesIO(data), "r") as plain:
        assert plain.streams.audio[0].codec_context.name == "dfpwm"
    with pytest.raises(AudioError, match="codec that is not supported"):
        load(io.BytesIO(data))


def test_docs_have_the_same_containers() -> None:
    page = (Path(__file__).parents[4] / "docs" / "operations.md").read_text("utf-8")
    table = page.partition("| for | FFmpeg's names |")[2].partition("\n\n")[0]
    rows = [line.split("|")[2] for line in table.splitlines()[2:]]
    assert {name for row in rows for name in row.split()} == CONTAINERS
