"""Sound stands where its file's time says: late, with holes, on clocks that start anywhere."""

from __future__ import annotations

import io
import itertools

import av
import numpy as np
import pytest

from models.audio.load.load_audio import AudioFile, load
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import encode
from tests.models.audio.timed_files import Burst, Kind, heard, timed
from tests.speech_clips import OWN_SPEECH

FILES = OWN_SPEECH / "clips" / "timed"
HOUR = 3600

# Two bursts: 5 s late, with a hole of 10 s.
BURSTS = (Burst(5, 3), Burst(18, 2))
# An encoder's frames, of up to 26 ms, go over the edges of a hole.
CLOSE = 0.04

LIVE = {"live": "1"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+delay_moov"}
WITH_PICTURES = [
    Kind("matroska", "libopus", "mpeg4"),
    Kind("matroska", "aac", "libx264"),
    Kind("matroska", "libopus", "libx264", LIVE),
    Kind("webm", "libopus", "libvpx"),
    Kind("mp4", "aac", "libx264"),
    Kind("mp4", "libmp3lame", "mpeg4"),
    Kind("mp4", "aac", "libx264", FRAGMENTS),
    Kind("mov", "aac", "libx264"),
    Kind("mpegts", "aac", "libx264"),
    Kind("mpegts", "mp2", "mpeg2video"),
    Kind("mpeg", "mp2", "mpeg2video"),
    Kind("flv", "aac", "libx264"),
    Kind("flv", "libmp3lame", "flv", rate=44_100),
    Kind("asf", "aac", "mpeg4"),
    Kind("nut", "libopus", "mpeg4"),
    Kind("ogg", "libopus", "libvpx"),
    Kind("wtv", "mp2", "mpeg2video"),
]
ALONE = [
    Kind("matroska", "libopus"),
    Kind("matroska", "pcm_s16le", options=LIVE),
    Kind("webm", "libopus"),
    Kind("webm", "libopus", options=LIVE),
    Kind("mp4", "aac", options=FRAGMENTS),
    Kind("mpegts", "aac"),
    Kind("flv", "aac"),
    Kind("asf", "libmp3lame"),
    Kind("nut", "libopus"),
    Kind("ogg", "libopus"),
]


def assert_heard(data: bytes, *expected: tuple[float, float]) -> None:
    """The bursts stand there, and the recording ends with the last of them."""
    samples = load(io.BytesIO(data))
    found = heard(samples)
    assert len(found) == len(expected), found
    np.testing.assert_allclose(found, expected, atol=CLOSE)
    assert len(samples) / SAMPLE_RATE == pytest.approx(expected[-1][1], abs=2 * CLOSE)


@pytest.mark.parametrize("clock", [0, 1.4, 100])
@pytest.mark.parametrize("kind", WITH_PICTURES, ids=str)
def test_late_sound_and_a_hole_beside_pictures(kind: Kind, clock: float) -> None:
    assert_heard(timed(kind, BURSTS, clock), (5, 8), (18, 20))


@pytest.mark.parametrize("clock", [0, 1.4, 100])
@pytest.mark.parametrize("kind", ALONE, ids=str)
def test_file_of_sound_alone_begins_with_it(kind: Kind, clock: float) -> None:
    assert_heard(timed(kind, BURSTS, clock), (0, 3), (13, 15))


@pytest.mark.parametrize(
    ("container", "codec"),
    [("ipod", "aac"), ("mov", "aac"), ("mp4", "aac"), ("mp4", "libmp3lame"), ("mp4", "libopus")],
)
def test_empty_edit_before_the_only_track_is_its_lead(container: str, codec: str) -> None:
    assert_heard(timed(Kind(container, codec), BURSTS), (5, 8), (18, 20))


def test_edit_that_cuts_the_beginning_is_kept() -> None:
    options = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    data = timed(Kind("mp4", "aac", options=options), [Burst(-2, 3)])
    assert b"elst" in data
    assert_heard(data, (0, 1))


def test_late_file_of_a_subtitle_maker() -> None:
    samples = load(FILES / "delay5.mkv")
    assert heard(samples)[0][0] == pytest.approx(5.3, abs=0.1)
    assert len(samples) / SAMPLE_RATE == pytest.approx(16, abs=0.02)


def test_file_with_a_hole() -> None:
    samples = load(FILES / "gap.mkv")
    found = heard(samples)
    silence = max(after[0] - before[1] for before, after in itertools.pairwise(found))
    assert silence == pytest.approx(9.98, abs=0.01)
    assert not samples[round(3.4 * SAMPLE_RATE) : round(13.3 * SAMPLE_RATE)].any()
    assert next(start for start, _ in found if start > 4) == pytest.approx(13.34, abs=0.01)
    assert len(samples) / SAMPLE_RATE == pytest.approx(15.47, abs=0.02)


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("adts", "aac", 44_100),
        ("asf", "libmp3lame", 44_100),
        ("flv", "aac", 44_100),
        ("ipod", "aac", 44_100),
        ("matroska", "aac", 44_100),
        ("matroska", "libmp3lame", 22_050),
        ("mov", "pcm_s16le", 44_100),
        ("mp3", "libmp3lame", 8_000),
        ("mpegts", "aac", 44_100),
        ("nut", "libopus", 48_000),
        ("ogg", "libopus", 48_000),
        ("wav", "pcm_s16le", 11_025),
        ("webm", "libopus", 48_000),
    ],
)
def test_priming_and_rounding_add_no_silence(container: str, codec: str, rate: int) -> None:
    data = encode(container, codec, rate, seconds=30)
    with av.open(io.BytesIO(data), "r") as plain:
        decoded = sum(frame.samples for frame in plain.decode(audio=0))
    assert len(load(io.BytesIO(data))) == pytest.approx(decoded * SAMPLE_RATE / rate, abs=2)


def test_joined_transport_streams_lose_nothing() -> None:
    kind = Kind("mpegts", "aac")
    joined = (
        timed(kind, [Burst(0, 3)], 1.4)
        + timed(kind, [Burst(0, 2)], 900)
        + timed(kind, [Burst(0, 2), Burst(4, 2)], 1.4)
    )
    assert_heard(joined, (0, 7), (9, 11))


def test_chained_opus_loses_nothing() -> None:
    first, second = (timed(Kind("ogg", "libopus"), [Burst(0, each)]) for each in (4, 2))
    assert_heard(first + second, (0, 6))


def test_joined_mp3_loses_nothing() -> None:
    one = encode("mp3", "libmp3lame", 16_000, seconds=3)
    assert len(load(io.BytesIO(one + one))) / SAMPLE_RATE == pytest.approx(6, abs=0.2)


@pytest.mark.parametrize("container", ["matroska", "mov", "nut"])
def test_hole_of_hours_is_refused_before_it_costs_anything(container: str) -> None:
    kind = Kind(container, "aac", options=LIVE if container == "matroska" else {})
    data = timed(kind, [Burst(0, 2), Burst(6 * HOUR, 2)])
    assert len(data) < 100_000
    lengths: list[int] = []
    with pytest.raises(AudioError, match=r"18000 seconds are the most .* it has 2160\d\.\d+"):
        lengths.extend(map(len, AudioFile(io.BytesIO(data), 5 * HOUR).pieces()))
    assert sum(lengths) < 3 * SAMPLE_RATE


def test_hole_counts_against_the_limit_to_the_second() -> None:
    data = timed(Kind("matroska", "libopus", "mpeg4"), BURSTS)
    assert sum(map(len, AudioFile(io.BytesIO(data), 21).pieces())) > 19 * SAMPLE_RATE
    with pytest.raises(AudioError, match="too long"):
        list(AudioFile(io.BytesIO(data), 18).pieces())


def test_long_silence_comes_a_second_at_a_time() -> None:
    data = timed(Kind("matroska", "libopus", options=LIVE), [Burst(0, 1), Burst(1800, 1)])
    pieces = [len(piece) for piece in AudioFile(io.BytesIO(data), HOUR).pieces()]
    assert max(pieces) < 2 * SAMPLE_RATE
    assert sum(pieces) / SAMPLE_RATE == pytest.approx(1801, abs=CLOSE)


@pytest.mark.parametrize("limit", [0, 12 * HOUR])
def test_clock_that_jumps_by_ten_years_is_broken(limit: int) -> None:
    data = timed(Kind("nut", "libopus"), [Burst(0, 2), Burst(10 * 365 * 86_400, 2)])
    with av.open(io.BytesIO(data), "r") as plain:
        assert (plain.duration or 0) / av.time_base > 9 * 365 * 86_400
    if limit:
        with pytest.raises(AudioError, match="too long"):
            AudioFile(io.BytesIO(data), limit)
        return
    assert sum(map(len, AudioFile(io.BytesIO(data)).pieces())) / SAMPLE_RATE == pytest.approx(
        4, abs=0.1
    )


def test_one_wild_time_in_a_file_that_states_its_length_is_passed_over() -> None:
    data = bytearray(timed(Kind("matroska", "libopus"), [Burst(0, 20)]))
    # The time of a cluster: four bytes behind its id and size, in milliseconds.
    at = data.rindex(b"\x1f\x43\xb6\x75")
    place = data.index(b"\xe7", at)
    width = data[place + 1] & 0x7F
    data[place + 2 : place + 2 + width] = b"\x7f" + bytes(width - 1)
    assert len(load(io.BytesIO(bytes(data)))) / SAMPLE_RATE == pytest.approx(20, abs=0.1)
